/** Stands in for the package `debug`: a log would show tokens and the text of messages. */
const silent = () => Object.assign(() => undefined, { enabled: false, log: () => undefined, extend: silent });

silent.enable = () => undefined;
silent.disable = () => "";
silent.enabled = () => false;

export default silent;
export const { enable, disable, enabled } = silent;

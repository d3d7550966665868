/** The pages of the error codes, from the documentation itself: fetched when somebody follows a code's link. */
const files = import.meta.glob<string>("../../../../docs/errors/*.md", { query: "?raw", import: "default", eager: true });

export const errors: Record<string, string> = Object.fromEntries(Object.entries(files).map(([path, text]) => [path.replace(/^.*\/|\.md$/g, ""), text]));

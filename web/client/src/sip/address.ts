/** `sip:anna@example.org;x=y` to `anna@example.org`. What is escaped wrongly stays as it is. */
export function addressOf(uri: string): string {
  const bare = uri.replace(/^<?sips?:/i, "").replace(/[;?>].*$/, "");
  try {
    return decodeURIComponent(bare).toLowerCase();
  } catch {
    return bare.toLowerCase();
  }
}

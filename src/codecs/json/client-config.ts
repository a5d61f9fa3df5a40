/** Configurations of thousands of registries stay far below it. */
export const MAX_CLIENT_CONFIG_BYTES = 4 * 2 ** 20

/**
 * The JSON of a `config.json` of Docker's client, which takes an empty file for an empty configuration, and `null` for a
 * key that is not there. A byte order mark in front, as PowerShell writes it, is passed over. Source: docker/cli,
 * cli/config/configfile, LoadFromReader.
 */
export function clientConfigText(text: string): string {
  const plain = text.replace(/^\ufeff/, '')
  return /^\s*(?:null\s*)?$/.test(plain) ? '{}' : plain
}

/** The cells of a CSV file by RFC 4180, without its byte order mark. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]]
  const body = text.replace(/^\ufeff/, '').replace(/\r\n$/, '')
  for (const [, separator = '', quoted, plain = ''] of body.matchAll(/(,|\r\n|^)(?:"((?:[^"]|"")*)"|([^",\r\n]*))/g)) {
    if (separator === '\r\n') rows.push([])
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain)
  }
  return rows
}

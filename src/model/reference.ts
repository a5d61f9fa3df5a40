/** What the user typed, parsed: `TRANSPORT:LOCATION`. Immutable; formatting then parsing gives an equal one. */
export interface Reference {
  /** Name of the transport, e.g. `docker-archive`. */
  readonly transport: string
  /** File, folder or remote name. A drive letter (`C:\…`, `C:/…`) belongs to it on every host. */
  readonly path: string
  /** What to select inside: `name:tag`, `@0`, a package's full name …; undefined = the only one, or all. */
  readonly selector?: string
}

/** `TRANSPORT:LOCATION` split at its first colon; undefined when the text starts with no transport name (or with a drive). */
export function splitReference(text: string): {transport: string; location: string} | undefined {
  const match = /^([a-z][a-z0-9-]+):(.*)$/s.exec(text)
  return match?.[1] === undefined || match[2] === undefined ? undefined : {transport: match[1], location: match[2]}
}

/** Where the path part of a location ends: the index of the colon that separates it from a selector, or -1. */
export function findSelectorColon(location: string): number {
  const from = /^[A-Za-z]:[\\/]/.test(location) ? 2 : 0
  return location.indexOf(':', from)
}

/** What a registry asks for in `WWW-Authenticate`. */
export type Challenge =
  | {readonly kind: 'basic'}
  | {readonly kind: 'bearer'; readonly realm: string; readonly service?: string; readonly scope?: string}

interface Stated {
  readonly scheme: string
  readonly values: Map<string, string>
}

/** Schemes that stand without parameters; any other bare word belongs to a value that lacks its quotes. */
const BARE = new Set(['basic', 'bearer', 'digest', 'negotiate', 'ntlm'])
/** One element between commas: a word, and a value where there is one. */
const PARAMETER = /^([!#$%&'*+.^_`|~\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|(\S*))/
const SCHEME = /^([!#$%&'*+.^_`|~\w-]+)(?:\s+(\S.*)?)?$/s

/**
 * Takes the header apart, which may offer several schemes, and gives the one to answer: bearer where it can be, as Docker
 * does, else basic; undefined when it holds neither. Source: RFC 9110, 11.6.1; distribution token spec.
 */
export function findChallenge(header: string | undefined): Challenge | undefined {
  const stated = header === undefined ? [] : statedIn(header)
  for (const {scheme, values} of stated) {
    const realm = values.get('realm')
    if (scheme !== 'bearer' || realm === undefined || realm === '') continue
    const [service, scope] = [values.get('service'), values.get('scope')]
    return {
      kind: 'bearer',
      realm,
      ...(service === undefined ? {} : {service}),
      ...(scope === undefined ? {} : {scope}),
    }
  }
  return stated.some(({scheme}) => scheme === 'basic') ? {kind: 'basic'} : undefined
}

function statedIn(header: string): readonly Stated[] {
  const found: Stated[] = []
  for (const element of elementsOf(header)) {
    if (PARAMETER.test(element)) {
      setValue(found.at(-1), element)
      continue
    }
    const [, scheme = '', rest] = SCHEME.exec(element) ?? []
    if (scheme === '' || (rest === undefined && !BARE.has(scheme.toLowerCase()))) continue
    found.push({scheme: scheme.toLowerCase(), values: new Map()})
    if (rest !== undefined) setValue(found.at(-1), rest)
  }
  return found
}

/** The first value of a key stands. */
function setValue(stated: Stated | undefined, parameter: string): void {
  const [, key = '', quoted, plain = ''] = PARAMETER.exec(parameter) ?? []
  if (stated === undefined || key === '' || stated.values.has(key.toLowerCase())) return
  stated.values.set(key.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? plain)
}

/** What stands between commas, but for those in quotes. */
function elementsOf(header: string): readonly string[] {
  const pieces = header.match(/(?:"(?:[^"\\]|\\.)*"|[^,"]|")+/g) ?? []
  return pieces.map((piece) => piece.trim()).filter((piece) => piece !== '')
}

import type {Platform} from '../model/image.js'

/* What a package says of the image that it is made of. Sources may have any text for a name or an architecture. */

/** Go's names -> AppX's. */
const ARCHITECTURES: ReadonlyMap<string, string> = new Map([
  ['amd64', 'x64'],
  ['386', 'x86'],
  ['arm', 'arm'],
  ['arm64', 'arm64'],
])

export function architectureOf({architecture}: Platform): string {
  return ARCHITECTURES.get(architecture) ?? 'neutral'
}

/** Characters that a friendly name may have. */
const MAX_FRIENDLY_NAME = 256

/** The name of an image as a friendly name, which holds whole characters alone; undefined where nothing is left of it. */
export function friendlyNameOf(name: string | undefined): string | undefined {
  const text = name?.slice(0, MAX_FRIENDLY_NAME).replace(/\p{Surrogate}/gu, '')
  return text === '' ? undefined : text
}

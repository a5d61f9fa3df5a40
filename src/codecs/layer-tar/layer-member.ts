import {InputError, UnsupportedError} from '../../model/errors.js'
import {describeTypeflag} from '../tar/member-headers.js'
import type {TarMember} from '../tar/tar-reader.js'

/**
 * The shortest name that means the same: without `.` and without doubled or closing slashes, as Go's `path.Clean` makes
 * it. An absolute name stays as it is, and so does `..`: `parseLayerPath` refuses both.
 */
export function cleanName(name: string): string {
  if (name.startsWith('/') || !/(^|\/)\.?(\/|$)/.test(name)) return name
  return name
    .split('/')
    .filter((component) => component !== '' && component !== '.')
    .join('/')
}

/**
 * Refuses a member that no layer has, by name, before anything is made of it: a type that is neither file, directory nor
 * link (`FORMAT_UNSUPPORTED`), a name or link target that is not UTF-8, or no name (`NAME_UNSAFE`). `title` is how messages
 * name the layer.
 */
export function requireLayerMember(member: TarMember, title: string): void {
  const {name, type, header, storedSize, offset} = member
  const at = {path: title, offset}
  if (member.isIllFormed) {
    throw new InputError('NAME_UNSAFE', {
      what: `The name or link target of the layer entry ${JSON.stringify(name)} is not UTF-8.`,
      why: 'Windows names are Unicode. Replacing other bytes could turn two names into one.',
      suggestions: ['Build the layer again with names in UTF-8.'],
      at,
    })
  }
  if (type === 'other') {
    throw new UnsupportedError('FORMAT_UNSUPPORTED', {
      what: `The layer entry '${name}' has the unsupported ${describeTypeflag(header.typeflag)}.`,
      why: 'A layer can contain only files, directories and links.',
      suggestions: ['Build the layer again as an ordinary tar.'],
      at,
    })
  }
  // Only `./` is a member without a name that means something: the top itself.
  if (name !== '' && (cleanName(name) !== '' || type === 'directory')) return
  throw new InputError('NAME_UNSAFE', {
    what: `A layer entry has no name${storedSize > 0 ? ` but a body of ${storedSize} bytes` : ''}.`,
    suggestions: ['Build the layer again without this entry.'],
    at,
  })
}

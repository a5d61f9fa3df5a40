import {InputError} from '../model/errors.js'
import {fillBufferLater} from './fill-buffer.js'
import {openRegularHandle} from './safe-open.js'

/** Marks in front of text, which PowerShell's `>` writes also when a program's output is an archive. */
const MARKS: readonly (readonly [bytes: readonly number[], encoding: 'utf-16le' | 'utf-16be' | 'utf-8'])[] = [
  [[0xff, 0xfe], 'utf-16le'],
  [[0xfe, 0xff], 'utf-16be'],
  [[0xef, 0xbb, 0xbf], 'utf-8'],
]
/** Looked at to tell text from what was an archive. */
const LOOK_BYTES = 4096
// eslint-disable-next-line no-control-regex
const NO_TEXT = /[\u0000-\u0008\u000b\u000e-\u001f]/

function findMark(head: Uint8Array) {
  return MARKS.find(([bytes]) => bytes.every((byte, index) => head[index] === byte))
}

/** Refuses an archive that begins as text does. Throws `ARCHIVE_CORRUPT`, which says how that comes about. */
export function requireNoText(head: Uint8Array, title: string): void {
  const mark = findMark(head)
  if (mark === undefined) return
  const hex = mark[0].map((byte) => byte.toString(16).toUpperCase()).join(' ')
  throw new InputError('ARCHIVE_CORRUPT', {
    what: `${title} was written with PowerShell's > and is no longer an archive.`,
    why: `It begins with ${hex}, a text mark. PowerShell converts the output of programs to text, which destroys the archive.`,
    suggestions: ['Save the image again: docker save -o FILE NAME:TAG'],
    at: {path: title, offset: 0},
  })
}

/** True for a file that begins as text does and goes on as no text would, such as an archive behind PowerShell's `>`. */
export async function isRedirectedArchive(file: string): Promise<boolean> {
  const handle = await openRegularHandle(file, {links: 'followed'})
  try {
    const bytes = Buffer.alloc(LOOK_BYTES)
    const head = bytes.subarray(0, await fillBufferLater(handle.fd, bytes, 0))
    const encoding = findMark(head)?.[1]
    return encoding !== undefined && NO_TEXT.test(new TextDecoder(encoding).decode(head))
  } finally {
    await handle.close()
  }
}

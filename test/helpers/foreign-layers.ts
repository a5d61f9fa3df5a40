import {pack} from 'tar-stream'
import {collect} from './bytes.js'

/* Layers as programs on Linux make them for Windows. Source: transport layout page, 4.6. */

/** 216 bytes: O:BAG:SYD:(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)…, which BuildKit gives folders. */
const BUILDKIT_FOLDER =
  'AQAEgBQAAAAkAAAAAAAAADAAAAABAgAAAAAABSAAAAAgAgAAAQEAAAAAAAUSAAAAAgCoAAcAAAAAAxgA/wEfAAECAAAAAAAFIAAAACACAAAAAxQA/wEfAAEBAAAAAAAFEgAAAAAAGAD/AR8AAQIAAAAAAAUgAAAAIAIAAAALFAAAAAAQAQEAAAAAAAMAAAAAAAMYAKkAEgABAgAAAAAABSAAAAAhAgAAAAIYAAQAAAABAgAAAAAABSAAAAAhAgAAAAIYAAIAAAABAgAAAAAABSAAAAAhAgAA'
/** 124 bytes: O:BAG:SYD:(A;;FA;;;BA)(A;;FA;;;SY)(A;;0x1200a9;;;BU), which it gives files. */
const BUILDKIT_FILE =
  'AQAEgBQAAAAkAAAAAAAAADAAAAABAgAAAAAABSAAAAAgAgAAAQEAAAAAAAUSAAAAAgBMAAMAAAAAABgA/wEfAAECAAAAAAAFIAAAACACAAAAABQA/wEfAAEBAAAAAAAFEgAAAAAAGACpABIAAQIAAAAAAAUgAAAAIQIAAA=='
/** O:BUG:BU without a list. */
const USERS = 'AQAAgBQAAAAkAAAAAAAAAAAAAAABAgAAAAAABSAAAAAhAgAAAQIAAAAAAAUgAAAAIQIAAA=='
/** O:BAG:BA without a list. */
const ADMINISTRATORS = 'AQAAgBQAAAAkAAAAAAAAAAAAAAABAgAAAAAABSAAAAAgAgAAAQIAAAAAAAUgAAAAIAIAAA=='

interface Member {
  readonly name: string
  readonly type: 'directory' | 'file' | 'symlink' | 'link'
  readonly mode: number
  readonly mtime: Date
  readonly linkname?: string
  readonly uid?: number
  readonly gid?: number
  readonly pax?: Readonly<Record<string, string>>
  readonly body?: string
}

async function tar(members: readonly Member[]): Promise<Buffer> {
  const packed = pack()
  for (const {body, ...header} of members) packed.entry(header, body ?? '')
  packed.finalize()
  return collect(packed as AsyncIterable<Uint8Array>)
}

/** Seconds and nanoseconds of the folder's time; BuildKit does not pad the second with zeros. */
const BUILDKIT_TIME = '1700000000.50000000'
const MTIME = new Date(1_700_000_000_000)

function buildKitMember(name: string, kind: 'directory' | 'file', more: Partial<Member> = {}): Member {
  const isFolder = kind === 'directory'
  return {
    name,
    type: kind,
    mode: isFolder ? 0o040755 : 0o100644,
    mtime: MTIME,
    ...more,
    pax: {
      'LIBARCHIVE.creationtime': BUILDKIT_TIME,
      'MSWINDOWS.fileattr': isFolder ? '16' : '32',
      'MSWINDOWS.rawsd': isFolder ? BUILDKIT_FOLDER : BUILDKIT_FILE,
      ...more.pax,
    },
  }
}

/** BuildKit: roots without a descriptor, names of folders with a slash, `Files/` before every link's target. */
export function buildKitLayer(): Promise<Buffer> {
  const root = (name: string): Member => ({
    name,
    type: 'directory',
    mode: 0o040000,
    mtime: MTIME,
    pax: {'LIBARCHIVE.creationtime': '1700000000', 'MSWINDOWS.fileattr': '16'},
  })
  return tar([
    root('Hives'),
    root('Files'),
    buildKitMember('Files/app/', 'directory'),
    buildKitMember('Files/app/run.exe', 'file', {body: 'MZ run', uid: 1000, gid: 1000}),
    buildKitMember('Files/app/tool.exe', 'file', {
      body: 'MZ tool',
      mode: 0o100755,
      pax: {'SCHILY.xattr.user.origin': 'a build'},
    }),
    {name: 'Files/app/current', type: 'symlink', linkname: 'Files/run.exe', mode: 0o777, mtime: MTIME},
    {name: 'Files/app/again.exe', type: 'link', linkname: 'Files/app/run.exe', mode: 0o644, mtime: MTIME},
    buildKitMember('Files/app/.wh.gone.txt', 'file'),
  ])
}

/** crane: every entry the same descriptor, modes 0555, no attributes and times. */
export function craneLayer(): Promise<Buffer> {
  const member = (name: string, more: Pick<Member, 'type'> & Partial<Member>): Member => ({
    name,
    mode: 0o555,
    mtime: new Date(0),
    pax: {'MSWINDOWS.rawsd': USERS},
    ...more,
  })
  return tar([
    member('Files', {type: 'directory'}),
    member('Hives', {type: 'directory'}),
    member('Files/app', {type: 'directory'}),
    member('Files/app/index.js', {type: 'file', body: 'console.log(1)\n'}),
    member('Files/app/empty', {type: 'file'}),
    member('Files/app/latest.js', {type: 'symlink', linkname: 'index.js'}),
  ])
}

/** imgutil of the buildpacks: parents made on demand with bare headers, administrators where user and group are 0. */
export function buildpackLayer(): Promise<Buffer> {
  const bare = (name: string): Member => ({name, type: 'directory', mode: 0, mtime: new Date(0)})
  const member = (name: string, descriptor: string, more: Pick<Member, 'type'> & Partial<Member>): Member => ({
    name,
    mode: 0o755,
    mtime: new Date(315_532_801_000),
    pax: {'MSWINDOWS.rawsd': descriptor},
    ...more,
  })
  return tar([
    bare('Files'),
    bare('Hives'),
    bare('Files/cnb'),
    bare('Files/cnb/lifecycle'),
    member('Files/cnb/lifecycle/launcher.exe', ADMINISTRATORS, {type: 'file', body: 'MZ launcher'}),
    member('Files/workspace', USERS, {type: 'directory', uid: 1, gid: 1}),
    member('Files/workspace/app.txt', USERS, {type: 'file', body: 'app', uid: 1, gid: 1}),
    member('Files/workspace/link.txt', USERS, {type: 'symlink', linkname: 'app.txt', uid: 1, gid: 1}),
    member('Files/workspace/hard.txt', USERS, {type: 'link', linkname: 'Files/workspace/app.txt', uid: 1, gid: 1}),
  ])
}

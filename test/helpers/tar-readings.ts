import {spawnSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {createReadStream, mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {requireLayerMember} from '../../src/codecs/layer-tar/layer-member.js'
import {modificationTimeOf} from '../../src/codecs/layer-tar/metadata-records.js'
import {readTar, type TarMember} from '../../src/codecs/tar/tar-reader.js'
import {TransshipError} from '../../src/model/errors.js'

/*
 * How several programs read one tar, in one form in which the readings can be compared. Names are byte strings (one
 * character a byte), without slashes at their end.
 */

export interface MemberReading {
  readonly name: string
  readonly type: 'file' | 'directory' | 'symlink' | 'hard-link' | 'device' | 'other'
  readonly link?: string
  /** Of a file, bytes with holes. */
  readonly size?: number
  /** SHA-256 of a file's content; absent of a huge one, and where the program does not tell contents apart. */
  readonly digest?: string
  /** Nanoseconds since 1970. */
  readonly mtime?: string
  /** Of ours: it has holes. */
  readonly isSparse?: boolean
  /** Of ours: why a layer cannot have it, whatever it is called. */
  readonly refusal?: string
}

export interface TarReading {
  readonly members: readonly MemberReading[]
  /** Why it stopped. */
  readonly fault?: string
  /** Of ours: the error's code. */
  readonly code?: string
  /** SHA-256 of all contents in a row, where the program tells only that. */
  readonly contents?: string
}

/** Contents beyond this are holes in every test file, and are not hashed. */
const MAX_HASHED_BYTES = 64 * 2 ** 20

const TYPES: Readonly<Record<string, MemberReading['type']>> = {
  '0': 'file',
  '\0': 'file',
  S: 'file',
  '5': 'directory',
  '2': 'symlink',
  '1': 'hard-link',
  '3': 'device',
  '4': 'device',
  '6': 'device',
}

/** What transship reads of a tar as a layer: the reader, and what it refuses of members whatever they are called. */
export async function ownReading(file: string): Promise<TarReading> {
  const members: MemberReading[] = []
  const title = path.basename(file)
  const contents = createHash('sha256')
  let isHuge = false
  try {
    // A layer whose digest is checked may lack its end, as Go has it.
    const items = readTar(createReadStream(file), {title, code: 'LAYER_CORRUPT', mayLackEnd: true})
    for await (const item of items) {
      if (item.kind !== 'member') continue
      const refusal = refusalOf(item, title)
      const {size} = item.content
      const digest = createHash('sha256')
      const isFile = item.type === 'file'
      if (isFile && size > MAX_HASHED_BYTES) isHuge = true
      else if (isFile)
        for await (const chunk of item.content.open()) {
          digest.update(chunk)
          contents.update(chunk)
        }
      members.push({
        name: nameOf(Buffer.from(item.name).toString('latin1')),
        type: item.type,
        mtime: String(modificationTimeOf(item)),
        ...linkOf(item.type, Buffer.from(item.linkname).toString('latin1')),
        ...(isFile ? {size} : {}),
        ...(isFile && size <= MAX_HASHED_BYTES ? {digest: digest.digest('hex')} : {}),
        ...(item.content.ranges === undefined ? {} : {isSparse: true}),
        ...(refusal === undefined ? {} : {refusal}),
      })
    }
    return {members, ...(isHuge ? {} : {contents: contents.digest('hex')})}
  } catch (error) {
    if (!(error instanceof TransshipError)) throw error
    return {members, fault: error.message, code: error.code}
  }
}

function refusalOf(member: TarMember, title: string): string | undefined {
  try {
    requireLayerMember(member, title)
    return undefined
  } catch (error) {
    if (!(error instanceof TransshipError)) throw error
    return `${error.code}: ${error.what}`
  }
}

function nameOf(name: string): string {
  return name.replace(/\/+$/, '')
}

function linkOf(type: MemberReading['type'], link: string): {link?: string} {
  return type === 'symlink' || type === 'hard-link' ? {link} : {}
}

interface ToldMember {
  readonly name: string
  readonly link: string
  readonly type: string
  readonly size: number
  readonly digest?: string
  readonly mtime?: string
}

/** Runs a judge that tells its reading of each file as a line of JSON. */
export function judgedReadings(program: string, args: readonly string[], files: readonly string[]): TarReading[] {
  const run = spawnSync(program, [...args, ...files], {encoding: 'utf8', maxBuffer: 256 * 2 ** 20})
  if (run.status !== 0) throw new Error(`${program} ended with ${String(run.status)}: ${run.stderr}`)
  return run.stdout
    .trimEnd()
    .split('\n')
    .map((line) => {
      const {members, fault} = JSON.parse(line) as {members: ToldMember[]; fault?: string}
      return {
        members: members.map(({name, link, type: flag, size, digest, mtime}) => {
          const type = TYPES[flag] ?? 'other'
          return {
            name: nameOf(Buffer.from(name, 'hex').toString('latin1')),
            type,
            ...linkOf(type, Buffer.from(link, 'hex').toString('latin1')),
            ...(type === 'file' ? {size} : {}),
            ...(type === 'file' && digest !== undefined ? {digest} : {}),
            ...(mtime === undefined ? {} : {mtime}),
          }
        }),
        ...(fault === undefined ? {} : {fault}),
      }
    })
}

const LISTED: Readonly<Record<string, MemberReading['type']>> = {
  '-': 'file',
  d: 'directory',
  l: 'symlink',
  h: 'hard-link',
  c: 'device',
  b: 'device',
  p: 'device',
}

const UTF8 = {LC_ALL: 'C.UTF-8', TZ: 'UTC', PATH: process.env['PATH'] ?? ''}

/** GNU tar and bsdtar tell members in a listing, and contents all in a row. */
export function listedReading(program: 'tar' | 'bsdtar', file: string): TarReading {
  const quoting = program === 'tar' ? ['--quoting-style=escape', '--full-time'] : []
  const list = spawnSync(program, ['-t', '-v', '-P', '--numeric-owner', ...quoting, '-f', file], {
    encoding: 'latin1',
    env: UTF8,
    maxBuffer: 64 * 2 ** 20,
  })
  const members = list.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (program === 'tar' ? gnuLine(line) : bsdLine(line)))
    .filter((member) => member !== undefined)
  const isHuge = members.some(({size = 0}) => size > MAX_HASHED_BYTES)
  const contents = isHuge ? undefined : contentsOf(program, file)
  return {
    members,
    ...(list.status === 0 ? {} : {fault: list.stderr.trim()}),
    ...(contents === undefined ? {} : {contents}),
  }
}

function contentsOf(program: 'tar' | 'bsdtar', file: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'tar-judge-'))
  try {
    // To standard output nothing is ever made on the disk, whatever the names are.
    const run = spawnSync(program, ['-x', '-O', '-P', '-f', path.resolve(file)], {
      cwd: folder,
      env: UTF8,
      maxBuffer: 512 * 2 ** 20,
    })
    return createHash('sha256').update(run.stdout).digest('hex')
  } finally {
    rmSync(folder, {recursive: true, force: true})
  }
}

/** `-rw-r--r-- 0/0  5 2020-01-01 00:00:00 name`; in names, spaces and odd bytes are escaped. */
function gnuLine(line: string): MemberReading | undefined {
  const parts = /^(.)\S+ +\S+ +(\d+(?:, ?\d+)?) +\S+ +\S+ +(.*)$/.exec(line)
  if (parts === null) return undefined
  const [, flag = '', size = '', rest = ''] = parts
  return listed(flag, size, rest, unescape)
}

/** `-rw-r--r--  0 0      0           5 Jan  1  2020 name`. */
function bsdLine(line: string): MemberReading | undefined {
  const parts = /^(.)\S{9}\S* +\d+ +-?\d+ +-?\d+ +(\d+(?:,\d+)?) +\S+ +\d+ +[\d:]+ (.*)$/.exec(line)
  if (parts === null) return undefined
  const [, flag = '', size = '', rest = ''] = parts
  // A hard link is listed with the kind of its target.
  return listed(rest.includes(' link to ') ? 'h' : flag, size, rest, unescape)
}

function listed(flag: string, size: string, rest: string, plain: (text: string) => string): MemberReading {
  const type = LISTED[flag] ?? 'other'
  const separator = type === 'symlink' ? ' -> ' : ' link to '
  const at = type === 'symlink' || type === 'hard-link' ? rest.indexOf(separator) : -1
  return {
    name: nameOf(plain(at < 0 ? rest : rest.slice(0, at))),
    type,
    ...(at < 0 ? {} : {link: plain(rest.slice(at + separator.length))}),
    ...(type === 'file' ? {size: Number(size)} : {}),
  }
}

const ESCAPES: Readonly<Record<string, string>> = {a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v'}

function unescape(text: string): string {
  return text.replace(/\\([0-7]{3}|.)/g, (_, code: string) =>
    /^[0-7]{3}$/.test(code) ? String.fromCharCode(Number.parseInt(code, 8)) : (ESCAPES[code] ?? code),
  )
}

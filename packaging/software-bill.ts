import {execFileSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import process from 'node:process'
import {npm} from './fetch-package.js'
import type {PinnedPackage, Target} from './targets.js'

interface Component {
  name: string
  readonly purl?: string
}

interface Bill {
  serialNumber?: string
  readonly metadata: {timestamp?: string; readonly component: Component}
  readonly components: Component[]
}

/**
 * Everything that a release carries, as CycloneDX: the packages of package-lock.json, and the Node of each executable. One
 * commit has one bill, whenever and wherever it is made: its time is that of the commit (or SOURCE_DATE_EPOCH), and its
 * serial number follows from its text.
 */
export function softwareBill(root: string, targets: readonly Target[]): string {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev', '--package-lock-only']
  const bill = JSON.parse(npm(args, root)) as Bill
  // npm takes the name of the folder.
  bill.metadata.component.name = 'transship'
  const pinned = targets.flatMap(({runtime, koffi}) => [runtime, koffi])
  const known = new Set(bill.components.map((component) => component.purl))
  bill.components.push(...pinned.map(componentOf).filter(({purl}) => !known.has(purl)))
  delete bill.serialNumber
  delete bill.metadata.timestamp
  const seconds = findCommitTime(root)
  if (seconds !== undefined) bill.metadata.timestamp = new Date(seconds * 1000).toISOString()
  return `${JSON.stringify({...bill, serialNumber: serialNumberOf(JSON.stringify(bill))}, undefined, 2)}\n`
}

/** Seconds since 1970; undefined outside of a repository. */
function findCommitTime(root: string): number | undefined {
  const stated = process.env['SOURCE_DATE_EPOCH']
  if (stated !== undefined) return Number(stated)
  try {
    return Number(execFileSync('git', ['log', '-1', '--format=%ct'], {cwd: root, encoding: 'utf8', stdio: 'pipe'}))
  } catch {
    return undefined
  }
}

/** A UUID made of a text. Source: RFC 9562, section 5.8. */
function serialNumberOf(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  const [, a, b, c, d, e] = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/.exec(bytes.toString('hex')) ?? []
  return `urn:uuid:${[a, b, c, d, e].join('-')}`
}

function componentOf({name, version, integrity}: PinnedPackage) {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
  const content = Buffer.from(integrity.replace(/^sha512-/, ''), 'base64').toString('hex')
  return {
    'bom-ref': `${name}@${version}`,
    type: 'library',
    name,
    version,
    scope: 'required',
    purl,
    hashes: [{alg: 'SHA-512', content}],
  }
}

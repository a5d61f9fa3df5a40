import {mkdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {hash} from 'node:crypto'
import fc from 'fast-check'
import {IndexWriter} from '../../src/formats/transport-layout/payload-index.js'
import {oddCarrier} from './odd-carriers.js'

/* Transport layouts with arbitrary carriers, times, sidecars and lists of deletions, as an export might leave them. */

type Times = readonly [bigint, bigint, bigint, bigint]

export interface OddLayout {
  readonly files: readonly {readonly name: string; readonly carrier: Buffer; readonly times: Times}[]
  readonly folders: readonly {readonly name: string; readonly carrier: Buffer; readonly times: Times}[]
  readonly hives: readonly {readonly name: string; readonly bytes: Uint8Array; readonly times: Times}[]
  readonly sidecars: readonly [Uint8Array, Uint8Array]
  readonly sidecarTimes: readonly [Times, Times]
  readonly deletions: readonly string[]
  readonly lineEnd: string
  readonly lastLineEnd: boolean
}

const time = fc.oneof(
  fc.bigInt({min: 0n, max: 2n ** 63n - 1n}),
  fc.constantFrom(0n, 1n, 116444736000000000n, 116444735999999999n, 132224078451234567n),
)
const times: fc.Arbitrary<Times> = fc.tuple(time, time, time, time)
/** A file's carrier holds no directory bit, and a folder's does; anything else about them is free. */
const FOLDER_NAMES = ['Windows', 'Windows/System32', 'a b', 'Ünï 😀', 'Windows/empty']
const FILE_NAMES = ['x.txt', 'Windows/y.dll', 'Windows/System32/z', 'a b/ä.bin', 'Ünï 😀/q', 'no']
const HIVES = ['DefaultUser_Delta', 'Sam_Delta', 'Security_Delta', 'Software_Delta', 'System_Delta']

export const oddLayout: fc.Arbitrary<OddLayout> = fc.record({
  files: fc.uniqueArray(fc.record({name: fc.constantFrom(...FILE_NAMES), carrier: oddCarrier, times}), {
    maxLength: 5,
    selector: ({name}) => name,
  }),
  folders: fc.tuple(...FOLDER_NAMES.map((name) => fc.record({name: fc.constant(name), carrier: oddCarrier, times}))),
  hives: fc.tuple(
    ...HIVES.map((name) => fc.record({name: fc.constant(name), bytes: fc.uint8Array({maxLength: 30}), times})),
  ),
  sidecars: fc.tuple(
    fc.constantFrom(Buffer.of(0x10, 0, 0, 0), Buffer.of(0x10, 0x20, 0, 0)),
    fc.constantFrom(Buffer.of(0x10, 0, 0, 0), Buffer.of(0x10, 0x20, 0, 0)),
  ),
  sidecarTimes: fc.tuple(times, times),
  deletions: fc.array(fc.constantFrom('\\gone', '\\Windows\\old.dll', '\\nowhere\\x', '\\a b\\ü', '\\gone'), {
    maxLength: 4,
  }),
  lineEnd: fc.constantFrom('\n', '\r\n'),
  lastLineEnd: fc.boolean(),
})

/** Writes a layout into an existing folder and gives its payload index. */
export function writeOddLayout(root: string, layout: OddLayout): Buffer {
  const index = new IndexWriter()
  const put = (
    name: string,
    bytes: Uint8Array,
    [creation, lastAccess, lastWrite, change]: Times,
    attributes?: number,
  ) => {
    writeFileSync(path.join(root, name), bytes)
    index.add({
      path: name,
      sizeBytes: bytes.byteLength,
      sha256: hash('sha256', bytes, 'hex'),
      times: {creation, lastAccess, lastWrite, change},
      ...(attributes === undefined ? {} : {attributes}),
    })
  }
  mkdirSync(path.join(root, 'Files'))
  mkdirSync(path.join(root, 'Hives'))
  put('Files.$wcidirs$', layout.sidecars[0], layout.sidecarTimes[0])
  put('Hives.$wcidirs$', layout.sidecars[1], layout.sidecarTimes[1])
  for (const {name, carrier, times: own} of layout.folders) {
    mkdirSync(path.join(root, 'Files', name), {recursive: true})
    put(`Files/${name}.$wcidirs$`, carrier, own)
  }
  for (const {name, carrier, times: own} of layout.files) put(`Files/${name}`, carrier, own)
  for (const {name, bytes, times: own} of layout.hives) put(`Hives/${name}`, bytes, own, 0x20)
  const lines = ['\ufeffVersion 1.0', ...layout.deletions].join(layout.lineEnd)
  const text = Buffer.from(`${lines}${layout.lastLineEnd ? layout.lineEnd : ''}`)
  writeFileSync(path.join(root, 'tombstones.txt'), text)
  index.add({path: 'tombstones.txt', sizeBytes: text.byteLength, sha256: hash('sha256', text, 'hex')})
  const bytes = Buffer.concat([...index.finish().bytes.pieces()])
  writeFileSync(path.join(root, 'payload-index.jsonl'), bytes)
  return bytes
}

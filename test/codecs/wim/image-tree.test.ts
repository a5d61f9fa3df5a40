import assert from 'node:assert/strict'
import {decodeEntry} from '../../../src/codecs/wim/entry.js'
import {ImageTree} from '../../../src/codecs/wim/image-tree.js'
import type {TransshipError} from '../../../src/model/errors.js'
import {parseLayerPath} from '../../../src/model/layer-path.js'
import {descriptorOf} from '../../helpers/hives.js'
import {assertThrows} from '../../helpers/told.js'

const CORRUPT = {code: 'ARCHIVE_CORRUPT', advises: true}
const [FOLDER, FILE, REPARSE] = [0x10, 0x20, 0x400] as const
const FIXED = 0x66

interface Node {
  readonly name?: string
  readonly short?: string
  readonly attributes?: number
  readonly security?: number
  readonly items?: Buffer
  /** A list of its own, or the list of another by its place in the order of lists. */
  readonly children?: readonly Node[] | number
}

function entryOf(
  {name = '', short = '', attributes = FOLDER, security = -1, items = Buffer.alloc(0)}: Node,
  childrenAt: number,
): Buffer {
  const [long, other] = [name, short].map((text) => Buffer.from(text === '' ? '' : `${text}\0`, 'utf16le'))
  const names = Buffer.concat([Buffer.alloc(FIXED), long!, other!])
  const padded = Buffer.concat([names, Buffer.alloc((8 - (names.length % 8)) % 8), items])
  const bytes = items.length > 0 ? padded : names
  bytes.writeBigUInt64LE(BigInt(bytes.length), 0)
  bytes.writeUInt32LE(attributes, 8)
  bytes.writeInt32LE(security, 0xc)
  bytes.writeBigUInt64LE(BigInt(childrenAt), 0x10)
  bytes.writeUInt16LE(2 * short.length, 0x62)
  bytes.writeUInt16LE(2 * name.length, 0x64)
  return Buffer.concat([bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)])
}

/** Metadata: descriptors, the root, then each list of entries with 8 zeros behind it, folder by folder. */
function metadataOf(root: Node, descriptors: readonly Uint8Array[] = []): Buffer {
  const block = Buffer.alloc(8 + 8 * descriptors.length)
  const security = Buffer.concat([block, ...descriptors])
  block.writeUInt32LE(security.length, 0)
  const start = Buffer.concat([block, ...descriptors, Buffer.alloc((8 - (security.length % 8)) % 8)])
  start.writeUInt32LE(security.length, 0)
  start.writeUInt32LE(descriptors.length, 4)
  for (const [index, {byteLength}] of descriptors.entries()) start.writeBigUInt64LE(BigInt(byteLength), 8 + 8 * index)
  const lists: (readonly Node[])[] = []
  const owners: Node[] = []
  const gather = (node: Node) => {
    if (node.children === undefined || typeof node.children === 'number') return
    lists.push(node.children)
    owners.push(node)
    node.children.forEach(gather)
  }
  gather(root)
  const sizes = lists.map((list) => list.reduce((sum, node) => sum + entryOf(node, 0).length, 8))
  const base = start.length + entryOf(root, 0).length + 8
  const places = sizes.map((_, index) => base + sizes.slice(0, index).reduce((sum, size) => sum + size, 0))
  const placeOf = (node: Node) =>
    node.children === undefined
      ? 0
      : typeof node.children === 'number'
        ? places[node.children]!
        : places[owners.indexOf(node)]!
  const written = (node: Node) => entryOf(node, placeOf(node))
  return Buffer.concat([
    start,
    written(root),
    Buffer.alloc(8),
    ...lists.flatMap((list) => [...list.map(written), Buffer.alloc(8)]),
  ])
}

const file = (name: string): Node => ({name, attributes: FILE})
const folder = (name: string, ...children: readonly Node[]): Node => ({name, children})
const treeOf = (...children: readonly Node[]) => new ImageTree(metadataOf({children}))
const AT = parseLayerPath('Files')
const walk = (tree: ImageTree, onFault?: (error: TransshipError) => void) =>
  [...tree.walk(AT, onFault === undefined ? {} : {onFault})].map(({path}) => path)

describe('the files of an image', () => {
  it('come with folders before what is in them, in the order of their bytes', () => {
    const tree = treeOf(
      file('b'),
      folder('a', file('z'), folder('y', file('x'))),
      file('B2'),
      file('\u00e9'),
      file('\uff61'),
      file('\u{1f600}'),
    )
    assert.deepEqual(walk(tree), [
      'Files',
      'Files/B2',
      'Files/a',
      'Files/a/y',
      'Files/a/y/x',
      'Files/a/z',
      'Files/b',
      'Files/\u00e9',
      'Files/\uff61',
      'Files/\u{1f600}',
    ])
  })

  it('are the root alone where it has no list, or an empty one', () => {
    assert.deepEqual(walk(new ImageTree(metadataOf({}))), ['Files'])
    assert.deepEqual(walk(treeOf()), ['Files'])
  })

  it('are found by their names, whatever the case', () => {
    const tree = treeOf(folder('Windows', folder('System32', file('a.DLL'))), {
      name: 'link',
      attributes: FOLDER | REPARSE,
      children: 0,
    })
    assert.equal(tree.find('WINDOWS', 'system32', 'A.dll')?.name, 'a.DLL')
    assert.equal(tree.find()?.attributes, FOLDER)
    for (const names of [
      ['x'],
      ['Windows', 'x'],
      ['Windows', 'System32', 'a.DLL', 'x'],
      ['link', 'Windows'],
      ['x', 'y'],
    ])
      assert.equal(tree.find(...names), undefined, names.join('/'))
  })

  it('are not looked for in a link to a folder', () => {
    const tree = treeOf({name: 'link', attributes: FOLDER | REPARSE, children: 0}, file('a'))
    assert.deepEqual(walk(tree), ['Files', 'Files/a', 'Files/link'])
  })

  it('have descriptors by their number', () => {
    const [first, second] = [descriptorOf(18), descriptorOf(19)]
    const tree = new ImageTree(
      metadataOf({security: 1, children: [{...file('a'), security: 0}, {...file('b'), security: 2}, file('c')]}, [
        first,
        second,
      ]),
    )
    const told = ['a', 'b', 'c'].map((name) => {
      const entry = tree.find(name)!
      return [tree.descriptorOf(entry), tree.lacksDescriptor(entry)]
    })
    assert.deepEqual(told, [
      [Buffer.from(first), false],
      [undefined, true],
      [undefined, false],
    ])
    assert.deepEqual(tree.descriptorOf(tree.root), Buffer.from(second))
    const broken = new ImageTree(metadataOf({security: 0}, [Buffer.alloc(20, 7)]))
    assertThrows(() => broken.descriptorOf(broken.root), {code: 'DESCRIPTOR_CORRUPT'})
  })

  it('need a root that is a folder', () => {
    assertThrows(() => new ImageTree(Buffer.alloc(16)).root, {...CORRUPT, at: {offset: 8}})
    for (const attributes of [FILE, FOLDER | REPARSE])
      assertThrows(() => new ImageTree(metadataOf({attributes})).root, {...CORRUPT, at: {offset: 8}})
  })

  for (const [note, children, code, says, left] of [
    ['twice the same name', [file('a'), file('a')], 'DUPLICATE_ENTRY', ['Files/a'], ['Files', 'Files/a']],
    [
      'names that differ in case',
      [file('a'), file('A')],
      'NAME_COLLISION',
      ['Files/a', 'Files/A'],
      ['Files', 'Files/a'],
    ],
    ['a slash', [file('x/y'), file('b')], 'NAME_UNSAFE', ['x/y', 'Files'], ['Files', 'Files/b']],
    ['two dots', [file('..'), file('b')], 'NAME_UNSAFE', [], ['Files', 'Files/b']],
  ] as const)
    it(`are refused, or left out and told, with ${note}`, () => {
      assertThrows(() => walk(treeOf(...children)), {code, says})
      const faults: string[] = []
      assert.deepEqual(
        walk(treeOf(...children), (fault) => faults.push(fault.code)),
        left,
      )
      assert.deepEqual(faults, [code])
    })

  it('may have a path of 32,767 units, and no longer', () => {
    const deep = (last: number) => {
      let node: Node = folder('e', file('x'.repeat(last)))
      for (let level = 0; level < 127; level++) node = folder('d'.repeat(255), node)
      return treeOf(node)
    }
    // 5 units of `Files`, 127 folders of 256 with their slashes, and `/e/`.
    const longest = 32_767 - 5 - 127 * 256 - 3
    assert.equal(walk(deep(longest)).at(-1)?.length, 32_767)
    assertThrows(() => walk(deep(longest + 1)), {code: 'NAME_UNSAFE', says: [32_767]})
  })

  it('are refused where folders share a list, or one is in itself', () => {
    for (const tree of [
      treeOf(folder('a', file('x')), {name: 'b', children: 1}),
      treeOf({name: 'a', children: 0}),
      treeOf(folder('a', {name: 'b', children: 1})),
    ])
      assert.throws(() => walk(tree), {code: 'ARCHIVE_CORRUPT'})
    const shared = metadataOf({children: [folder('a', file('x')), {name: 'b', children: 1}]})
    assertThrows(() => walk(new ImageTree(shared)), {...CORRUPT, says: ['Files/b']})
  })

  it('are refused where a list lies in front of the root or past the end', () => {
    const bytes = metadataOf({children: [file('a')]})
    for (const [place, says] of [
      [4, undefined],
      [bytes.length, bytes.length],
      [bytes.length - 4, undefined],
    ] as const) {
      const changed = Buffer.from(bytes)
      changed.writeBigUInt64LE(BigInt(place), 8 + 0x10)
      assertThrows(() => walk(new ImageTree(changed)), {...CORRUPT, says: says === undefined ? [] : [says]})
    }
  })
})

describe('an entry of an image', () => {
  it('gives all its fields, from anywhere', () => {
    const bytes = entryOf(
      {
        name: 'long name',
        short: 'LONGNA~1',
        attributes: FILE,
        security: 5,
        items: Buffer.from('01000000030000006162630000000000', 'hex'),
      },
      0,
    )
    for (const [index, at] of [0x28, 0x30, 0x38].entries()) bytes.writeBigInt64LE(BigInt(1000 + index), at)
    bytes.write('ab'.repeat(20), 0x40, 'hex')
    bytes.writeBigUInt64LE(77n, 0x58)
    const all = Buffer.concat([Buffer.alloc(16, 0xff), bytes, Buffer.alloc(8)])
    const decoded = decodeEntry(all, 16)
    assert.deepEqual(decoded, {
      entry: {
        name: 'long name',
        shortName: 'LONGNA~1',
        attributes: FILE,
        securityId: 5,
        childrenAt: 0,
        creation: 1000n,
        lastAccess: 1001n,
        lastWrite: 1002n,
        linkGroup: 77n,
        data: 'ab'.repeat(20),
        streams: [],
        items: [{tag: 1, data: Buffer.from('abc')}],
        isEncrypted: false,
      },
      next: 16 + bytes.length,
    })
    assert.equal(decodeEntry(all, 16 + bytes.length), undefined)
  })

  for (const [flags, isNotFixed] of [
    [0, false],
    [1, true],
    [2, false],
    [3, true],
  ] as const)
    it(`has reparse data in place of a link group: flags ${flags}`, () => {
      const bytes = entryOf({attributes: FILE | REPARSE}, 0)
      bytes.write('cd'.repeat(20), 0x40, 'hex')
      bytes.writeUInt32LE(0xa000000c, 0x58)
      bytes.writeUInt16LE(7, 0x5c)
      bytes.writeUInt16LE(flags, 0x5e)
      const {entry} = decodeEntry(bytes, 0)!
      assert.deepEqual(entry.reparse, {tag: 0xa000000c, reserved: 7, isNotFixed, hash: 'cd'.repeat(20)})
      assert.equal(entry.linkGroup, 0n)
    })

  it('is the end of a list where it has 8 bytes or fewer', () => {
    for (let size = 0; size <= 8; size++) {
      const bytes = Buffer.alloc(8)
      bytes.writeBigUInt64LE(BigInt(size))
      assert.equal(decodeEntry(bytes, 0), undefined)
    }
  })

  it('is refused with its place where a size or a name is wrong', () => {
    const sound = entryOf({name: 'ab', short: 'c'}, 0)
    for (const change of [
      (bytes: Buffer) => bytes.writeBigUInt64LE(9n, 0),
      (bytes: Buffer) => bytes.writeBigUInt64LE(BigInt(FIXED - 1), 0),
      (bytes: Buffer) => bytes.writeBigUInt64LE(BigInt(sound.length + 1), 0),
      (bytes: Buffer) => bytes.writeBigUInt64LE(2n ** 64n - 1n, 0),
      (bytes: Buffer) => bytes.writeUInt16LE(3, 0x64),
      (bytes: Buffer) => bytes.writeUInt16LE(1, 0x62),
      (bytes: Buffer) => bytes.writeUInt16LE(200, 0x64),
      (bytes: Buffer) => bytes.writeUInt16LE(200, 0x62),
      (bytes: Buffer) => bytes.writeUInt16LE(1, 0x60),
      (bytes: Buffer) => bytes.writeBigUInt64LE(BigInt(sound.length), 0x10),
    ]) {
      const bytes = Buffer.from(sound)
      change(bytes)
      assertThrows(() => decodeEntry(bytes, 0), CORRUPT)
    }
    for (const at of [sound.length, sound.length - 7])
      assertThrows(() => decodeEntry(sound, at), {...CORRUPT, at: {offset: at}})
  })

  it('has streams that are refused where one is cut', () => {
    const stream = (size: number, nameBytes: number, length: number) => {
      const bytes = Buffer.alloc(length)
      bytes.writeBigUInt64LE(BigInt(size), 0)
      bytes.writeUInt16LE(nameBytes, 36)
      return bytes
    }
    const head = entryOf({attributes: FILE}, 0)
    head.writeUInt16LE(1, 0x60)
    const decode = (bytes: Buffer) => decodeEntry(Buffer.concat([head, bytes]), 0)
    assert.equal(decode(stream(38, 0, 40))?.next, head.length + 40)
    assert.equal(decode(stream(38, 0, 38))?.next, head.length + 38)
    for (const bytes of [
      stream(38, 0, 37 + 1).subarray(0, 37),
      stream(37, 0, 40),
      stream(41, 0, 40),
      stream(40, 3, 48),
      stream(40, 4, 48),
    ])
      assertThrows(() => decode(bytes), {...CORRUPT, at: {offset: head.length}})
  })
})

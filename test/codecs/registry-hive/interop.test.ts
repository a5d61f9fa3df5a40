import assert from 'node:assert/strict'
import {spawnSync} from 'node:child_process'
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import fc from 'fast-check'
import {keyOf, valueOf, type HiveKey} from '../../../src/codecs/registry-hive/hive-key.js'
import {requireSound} from '../../../src/codecs/registry-hive/require-sound.js'
import {FUZZ_RUNS} from '../../helpers/fuzz.js'
import {deltaOf, descriptorOf, hiveOf, openHive, plainTree, text} from '../../helpers/hives.js'
import {requireTool, runTool} from '../../helpers/tools.js'

/** Debian's Python has hivex's module; another Python first on the path need not. */
const PYTHON = '/usr/bin/python3'

/** Prints every key of a hive as hivex sees it: [depth, name, flags of values ...], data as hexadecimal text. */
const DUMP = `
import hivex, json, sys
h = hivex.Hivex(sys.argv[1])
def walk(node, depth):
    values = []
    for v in h.node_values(node):
        t, data = h.value_value(v)
        values.append([h.value_key(v), t, data.hex()])
    rows.append([depth, h.node_name(node), h.node_timestamp(node), values])
    for child in h.node_children(node):
        walk(child, depth + 1)
rows = []
walk(h.root(), 0)
print(json.dumps(rows))
`

type Row = [depth: number, name: string, time: number, values: [name: string, type: number, data: string][]]

function rowsOf(key: HiveKey, depth = 0): Row[] {
  const values = key.values().map(({name, type, data}): Row[3][0] => [name, type, Buffer.from(data).toString('hex')])
  return [
    [depth, key.name, Number(key.lastWrite), values],
    ...key.subkeys().flatMap((subkey) => rowsOf(subkey, depth + 1)),
  ]
}

function hasPlainNames(key: HiveKey): boolean {
  const isPlain = (name: string): boolean => !/\p{Surrogate}/u.test(name) && !name.includes('\0')
  return isPlain(key.name) && key.values().every(({name}) => isPlain(name)) && key.subkeys().every(hasPlainNames)
}

describe('hives and the tools of others', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'transship-hive-'))
  })
  after(() => {
    rmSync(folder, {recursive: true, force: true})
  })

  function requireHivex(context: Mocha.Context): void {
    requireTool(context, 'hivexregedit')
    if (spawnSync(PYTHON, ['-c', 'import hivex']).status !== 0) requireTool(context, 'python3-hivex')
  }

  function save(name: string, bytes: Uint8Array): string {
    const path = join(folder, name)
    writeFileSync(path, bytes)
    return path
  }

  const sample = keyOf({
    name: 'ROOT',
    flags: 8,
    lastWrite: 132_000_000_000_000_000n,
    security: descriptorOf(18),
    values: [valueOf('', 1, text('default')), valueOf('empty', 3, new Uint8Array())],
    subkeys: [
      keyOf({
        name: 'Select',
        lastWrite: 132_000_000_000_000_000n,
        security: descriptorOf(19),
        values: [
          valueOf('Current', 4, Uint8Array.of(1, 0, 0, 0)),
          valueOf('Big', 3, Buffer.alloc(40000, 'big data ')),
          valueOf('Edge', 3, Buffer.alloc(16345, 'edge')),
        ],
      }),
      keyOf({
        name: 'Many',
        lastWrite: 132_000_000_000_000_000n,
        security: descriptorOf(18),
        className: Buffer.from('class', 'utf16le'),
        subkeys: Array.from({length: 1200}, (_, index) =>
          keyOf({name: `k${index}`, security: descriptorOf(18), lastWrite: 132_000_000_000_000_000n}),
        ),
      }),
    ],
  })

  it('hivex reads what is written, key by key', function () {
    requireHivex(this)
    this.timeout(120_000)
    const path = save('sample', hiveOf(sample))
    assert.deepEqual(JSON.parse(runTool(PYTHON, ['-c', DUMP, path])), rowsOf(sample))
    fc.assert(
      fc.property(plainTree().filter(hasPlainNames), fc.constantFrom(3, 4, 5), (tree, minorVersion) => {
        const hive = save('random', hiveOf(tree, minorVersion))
        assert.deepEqual(JSON.parse(runTool(PYTHON, ['-c', DUMP, hive])), rowsOf(tree))
      }),
      {numRuns: Math.ceil(FUZZ_RUNS / 12)},
    )
  })

  it('hivexregedit exports what is written', function () {
    requireTool(this, 'hivexregedit')
    const path = save('exported', hiveOf(sample))
    const exported = runTool('hivexregedit', ['--export', '--prefix', 'P', path, '\\'])
    assert.match(exported, /\[P\\Select\]/)
    assert.match(exported, /"Current"=dword:00000001/)
    assert.equal(exported.match(/\[P\\Many\\k\d+\]/g)?.length, 1200)
  })

  for (const {title, bytes} of [
    {title: 'an ordinary hive', bytes: () => hiveOf(sample)},
    {title: 'an ordinary hive of version 1.3', bytes: () => hiveOf(sample, 3)},
    {title: 'a delta', bytes: () => deltaOf(sample)},
  ]) {
    it(`reglookup reads ${title}`, function () {
      requireTool(this, 'reglookup')
      const lines = runTool('reglookup', [save('looked-up', bytes())]).split('\n')
      assert.ok(lines.some((line) => line.startsWith('/Select/Current,DWORD,0x00000001')))
      assert.equal(lines.filter((line) => /^\/Many\/k\d+,KEY/.test(line)).length, 1200)
      const big = lines.find((line) => line.startsWith('/Select/Big,BINARY,'))?.split(',')[2]
      assert.equal(big?.replaceAll('%20', ' '), 'big data '.repeat(4445).slice(0, 40000))
    })

    it(`regfexport reads ${title}`, function () {
      requireTool(this, 'regfexport')
      const exported = runTool('regfexport', [save('exported-too', bytes())])
      assert.equal(exported.match(/^Key path:/gm)?.length, 1203)
      assert.doesNotMatch(exported, /corrupt/i)
    })
  }

  it('reads a hive that hivex has written', function () {
    requireHivex(this)
    const path = save('theirs', hiveOf(keyOf({name: '$$$PROTO.HIV', flags: 8, security: descriptorOf(18)})))
    const reg = [
      'Windows Registry Editor Version 5.00',
      '',
      '[\\Software]',
      '@="default"',
      '"text"="some text"',
      '"number"=dword:12345678',
      '"bytes"=hex:01,02,03,04,05',
      '"list"=hex(7):61,00,00,00,62,00,00,00,00,00',
      ...Array.from({length: 300}, (_, index) => ['', `[\\Software\\key${index}]`, `"v"="${index}"`]).flat(),
      '',
    ].join('\n')
    const source = save('theirs.reg', Buffer.from(reg))
    runTool('hivexregedit', ['--merge', '--prefix', '\\', '--encoding', 'utf16le', path, source])
    const hive = openHive(readFileSync(path))
    requireSound(hive)
    assert.equal(hive.root.subkeys()[0]?.subkeys().length, 300)
    assert.deepEqual(rowsOf(hive.root), JSON.parse(runTool(PYTHON, ['-c', DUMP, path])))
  })
})

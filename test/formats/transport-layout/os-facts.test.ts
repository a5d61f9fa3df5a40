import assert from 'node:assert/strict'
import {keyOf, valueOf, valueTombstone, type HiveValue} from '../../../src/codecs/registry-hive/hive-key.js'
import {ValueType} from '../../../src/codecs/registry-hive/value-text.js'
import {osFactsIn, osVersionIn} from '../../../src/formats/transport-layout/os-facts.js'
import {text} from '../../helpers/hives.js'

const string = (name: string, value: string) => valueOf(name, ValueType.string, text(value))
const number = (name: string, value: number, type: number = ValueType.dword) => {
  const data = Buffer.alloc(4)
  data.writeUInt32LE(value)
  return valueOf(name, type, data)
}

function factsOf(values: readonly HiveValue[]) {
  const below = (name: string, inside: Parameters<typeof keyOf>[0]) => keyOf({name, subkeys: [keyOf(inside)]})
  const version = {name: 'CurrentVersion', values}
  return osFactsIn(
    keyOf({name: 'SOFTWARE', subkeys: [below('Microsoft', {name: 'Windows NT', subkeys: [keyOf(version)]})]}),
  )
}

const TEN = {major: 10, minor: 0}
const LAB = '14393.206.amd64fre.rs1_release.160915-0644'

describe('what a SOFTWARE hive says of its operating system', () => {
  for (const [note, values, expected] of [
    ['nothing', [], TEN],
    [
      'the numbers of the version',
      [number('CurrentMajorVersionNumber', 6), number('CurrentMinorVersionNumber', 3)],
      {major: 6, minor: 3},
    ],
    [
      'a build and its revision',
      [string('CurrentBuild', '20348'), number('UBR', 2700)],
      {...TEN, build: 20348, revision: 2700},
    ],
    ['the older name of the build', [string('CurrentBuildNumber', '14393')], {...TEN, build: 14393}],
    ['both names: the newer one', [string('CurrentBuildNumber', '1'), string('CurrentBuild', '2')], {...TEN, build: 2}],
    ['the lab of the build', [string('BuildLab', LAB)], {...TEN, build: 14393, revision: 206, buildLab: LAB}],
    [
      'the longer lab before the other',
      [string('BuildLab', '1.2.x'), string('BuildLabEx', LAB)],
      {...TEN, build: 14393, revision: 206, buildLab: LAB},
    ],
    [
      'a lab of another build, which tells no revision',
      [string('CurrentBuild', '14394'), string('BuildLabEx', LAB)],
      {...TEN, build: 14394, buildLab: LAB},
    ],
    [
      'a revision before that of the lab',
      [string('BuildLabEx', LAB), number('UBR', 5)],
      {...TEN, build: 14393, revision: 5, buildLab: LAB},
    ],
    [
      'names',
      [
        string('InstallationType', 'Server Core'),
        string('EditionID', 'ServerDatacenter'),
        string('ProductName', 'Windows Server'),
      ],
      {...TEN, installationType: 'Server Core', editionId: 'ServerDatacenter', productName: 'Windows Server'},
    ],
    ['a name in other letters', [string('PRODUCTNAME', 'Windows')], {...TEN, productName: 'Windows'}],
    [
      'a text that expands',
      [valueOf('ProductName', ValueType.expandString, text('Windows'))],
      {...TEN, productName: 'Windows'},
    ],
    [
      'a text without its NUL, and one with two',
      [valueOf('EditionID', ValueType.string, Buffer.from('A', 'utf16le')), string('ProductName', 'B\0')],
      {...TEN, editionId: 'A', productName: 'B'},
    ],
    ['an empty text', [string('ProductName', ' ')], TEN],
    ['a text of another type', [valueOf('ProductName', ValueType.binary, text('Windows'))], TEN],
    ['a value that is deleted', [valueTombstone('ProductName')], TEN],
    ['a build that is no number', [string('CurrentBuild', '14393a')], TEN],
    ['a number of another type', [string('CurrentBuild', '1'), number('UBR', 5, ValueType.binary)], {...TEN, build: 1}],
    [
      'a number of other length',
      [string('CurrentBuild', '1'), valueOf('UBR', ValueType.dword, Buffer.alloc(8, 1))],
      {...TEN, build: 1},
    ],
  ] as const satisfies readonly (readonly [string, readonly HiveValue[], object])[])
    it(note, () => {
      assert.deepEqual(factsOf(values), expected)
    })

  it('is nothing without its key', () => {
    assert.equal(osFactsIn(keyOf({name: 'SOFTWARE'})), undefined)
  })
})

describe('the version of an operating system', () => {
  for (const [facts, stated, expected] of [
    [TEN, '10.0.1.2', undefined],
    [{...TEN, build: 14393, revision: 206}, '10.0.14393.1', '10.0.14393.206'],
    [{...TEN, build: 14393}, '10.0.14393.693', '10.0.14393.693'],
    [{...TEN, build: 14393}, '10.0.20348.1', '10.0.14393.0'],
    [{...TEN, build: 14393}, undefined, '10.0.14393.0'],
    [{...TEN, build: 1439}, '10.0.14393.1', '10.0.1439.0'],
  ] as const)
    it(`of ${JSON.stringify(facts)}, stated ${stated ?? 'nowhere'}`, () => {
      assert.equal(osVersionIn(facts, stated), expected)
    })
})

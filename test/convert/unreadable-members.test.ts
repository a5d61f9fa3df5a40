import assert from 'node:assert/strict'
import {existsSync} from 'node:fs'
import {writeFile} from 'node:fs/promises'
import path from 'node:path'
import {convert, verify} from '../../src/index.js'
import {TransshipError} from '../../src/model/errors.js'
import {hybridMembers, partsOf, tarOf} from '../helpers/archives.js'
import {longMember, paxMember, RAW_END, rawMember} from '../helpers/raw-tar.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

/** Names that are no UTF-8: a reader that replaces what it cannot read would make one name of two. */
const ILL_FORMED: readonly (readonly [what: string, hex: string])[] = [
  ['Latin-1', 'fc'],
  ['a continuation alone', '80'],
  ['a cut sequence', 'e697'],
  ['an overlong slash', 'c0af'],
  ['an overlong slash in three bytes', 'e080af'],
  ['a lone surrogate', 'eda080'],
  ['a pair of surrogates', 'eda081edb080'],
  ['a letter beyond Unicode', 'f4908080'],
  ['five bytes of old', 'f888808080'],
]

const OTHER_TYPES = ['7', 'A', 'D', 'E', 'I', 'M', 'N', 'V', 'X', 'Z', '8', '\x01']

interface Row {
  readonly what: string
  readonly members: readonly Buffer[]
  readonly code: string
}

const below = (hex: string) => Buffer.concat([Buffer.from('Files/a'), Buffer.from(hex, 'hex')])

const ROWS: readonly Row[] = [
  ...ILL_FORMED.flatMap(([what, hex]): Row[] => [
    {what: `${what} in a name`, members: [rawMember({name: below(hex)}, 'x')], code: 'NAME_UNSAFE'},
    {
      what: `${what} in a PAX path`,
      members: [paxMember([['path', below(hex)]]), rawMember({name: 'Files/b'}, 'x')],
      code: 'NAME_UNSAFE',
    },
    {
      what: `${what} in the target of a symbolic link`,
      members: [rawMember({name: 'Files/l', type: '2', linkname: Buffer.from(hex, 'hex')})],
      code: 'NAME_UNSAFE',
    },
    {
      what: `${what} in the target of a hard link`,
      members: [rawMember({name: 'Files/l', type: '1', linkname: below(hex)})],
      code: 'NAME_UNSAFE',
    },
    {
      what: `${what} in a whiteout`,
      members: [rawMember({name: Buffer.concat([Buffer.from('Files/.wh.'), Buffer.from(hex, 'hex')])})],
      code: 'NAME_UNSAFE',
    },
    {
      what: `${what} in the name of an alternate stream`,
      members: [
        rawMember({name: 'Files/a'}, 'x'),
        rawMember({name: Buffer.concat([Buffer.from('Files/a:'), Buffer.from(hex, 'hex')])}, 'x'),
      ],
      code: 'NAME_UNSAFE',
    },
  ]),
  ...OTHER_TYPES.map((type): Row => ({
    what: `a member of type ${JSON.stringify(type)}`,
    members: [rawMember({name: 'Files/a', type, format: 'gnu'}, 'body')],
    code: 'FORMAT_UNSUPPORTED',
  })),
  {what: 'a member without a name, with a body', members: [rawMember({name: ''}, 'body')], code: 'NAME_UNSAFE'},
  {what: 'a member without a name or a body', members: [rawMember({name: ''})], code: 'NAME_UNSAFE'},
  {what: 'a directory without a name', members: [rawMember({name: '', type: '5'})], code: 'NAME_UNSAFE'},
  {
    what: 'the top as a symbolic link',
    members: [rawMember({name: '.', type: '2', linkname: 'x'})],
    code: 'NAME_UNSAFE',
  },
  {
    what: 'two names for one member',
    members: [
      paxMember([['path', 'Files/one']]),
      longMember('L', 'Files/two'),
      rawMember({name: 'Files/x', format: 'gnu'}),
    ],
    code: 'LAYER_CORRUPT',
  },
  {
    what: 'a global header with a path',
    members: [paxMember([['path', 'Files/x']], 'g'), rawMember({name: 'Files/a'})],
    code: 'LAYER_CORRUPT',
  },
]

describe('members of a layer that cannot be read for sure', () => {
  const folder = temporaryFolder()

  for (const [number, {what, members, code}] of ROWS.entries())
    it(`are refused by verify and by convert alike: ${what}`, async () => {
      const layer = Buffer.concat([rawMember({name: 'Files', type: '5'}), ...members, RAW_END])
      const file = path.join(folder.path, `${number}.tar`)
      await writeFile(file, await tarOf(hybridMembers(partsOf([layer], {os: 'windows'}))))
      const {faults} = await verify(`docker-archive:${file}`)
      assert.deepEqual([...new Set(faults.map((fault) => fault.code))], [code])
      for (const [place, layers] of [
        ['inbox', 'chain'],
        ['inbox', 'squash'],
        ['layout', 'squash'],
      ] as const) {
        const target = path.join(folder.path, `${number}-${place}-${layers}`)
        await assert.rejects(
          convert(`docker-archive:${file}`, `${place}:${target}`, {layers}),
          (error: unknown) => error instanceof TransshipError && error.code === code,
        )
        assert.ok(place === 'inbox' || !existsSync(target), 'nothing is left')
      }
    })
})

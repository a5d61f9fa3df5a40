import assert from 'node:assert/strict'
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import {convert, inspect, list, verify, type ConvertReport} from '../../../src/index.js'
import {compare, type DiffReport} from '../../../src/convert/diff.js'
import {files} from '../../../src/convert/files.js'
import {hiveOf} from '../../helpers/hives.js'
import {softwareTree, type OsValues} from '../../helpers/os-layers.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {requireTool, runTool} from '../../helpers/tools.js'

const CONFIG = 'Windows/System32/config'
const SERVER: OsValues = {type: 'Server Core', edition: 'ServerDatacenterCor', build: '20348', revision: 2113}

/** A tree as it was captured, and as it was captured again after somebody had worked on it. */
interface Case {
  readonly title: string
  readonly change: (root: string) => void
}

const at = (root: string, name: string) => path.join(root, ...name.split('/'))
const write = (root: string, name: string, content: string | Buffer) => {
  mkdirSync(path.dirname(at(root, name)), {recursive: true})
  writeFileSync(at(root, name), content)
}

const CASES: readonly Case[] = [
  {
    title: 'a file whose content changed',
    change: (root) => {
      write(root, 'app/one.txt', 'changed')
    },
  },
  {
    title: 'a file of the same size and time whose content changed',
    change: (root) => {
      write(root, 'app/one.txt', 'eno')
    },
  },
  {
    title: 'a new file in a new folder',
    change: (root) => {
      write(root, 'new/deep/file', 'new')
    },
  },
  {
    title: 'a deleted file',
    change: (root) => {
      unlinkSync(at(root, 'app/two.txt'))
    },
  },
  {
    title: 'a deleted folder with all that is in it',
    change: (root) => {
      rmSync(at(root, 'app/sub'), {recursive: true})
    },
  },
  {
    title: 'a folder that became empty',
    change: (root) => {
      unlinkSync(at(root, 'app/sub/inner.txt'))
    },
  },
  {
    title: 'a renamed folder',
    change: (root) => {
      renameSync(at(root, 'app'), at(root, 'moved'))
    },
  },
  {
    title: 'a file renamed to another case',
    change: (root) => {
      renameSync(at(root, 'app/one.txt'), at(root, 'app/ONE.TXT'))
    },
  },
  {
    title: 'a folder renamed to another case',
    change: (root) => {
      renameSync(at(root, 'app'), at(root, 'APP'))
    },
  },
  {
    title: 'a file where a folder was',
    change: (root) => {
      rmSync(at(root, 'app/sub'), {recursive: true})
      write(root, 'app/sub', 'file')
    },
  },
  {
    title: 'a folder where a file was',
    change: (root) => {
      unlinkSync(at(root, 'app/one.txt'))
      write(root, 'app/one.txt/in', 'x')
    },
  },
  {
    title: 'a link where a folder was',
    change: (root) => {
      rmSync(at(root, 'app/sub'), {recursive: true})
      symlinkSync('one.txt', at(root, 'app/sub'))
    },
  },
  {
    title: 'a folder where a link was',
    change: (root) => {
      unlinkSync(at(root, 'link'))
      write(root, 'link/in', 'x')
    },
  },
  {
    title: 'a link that leads elsewhere',
    change: (root) => {
      unlinkSync(at(root, 'link'))
      symlinkSync('app/two.txt', at(root, 'link'))
    },
  },
  {
    title: 'a time alone',
    change: (root) => {
      utimesSync(at(root, 'app/one.txt'), 1e9, 1e9)
    },
  },
  {
    title: 'attributes alone',
    change: (root) => {
      chmodSync(at(root, 'app/one.txt'), 0o444)
    },
  },
  {
    title: 'one more name of a file with one',
    change: (root) => {
      linkSync(at(root, 'app/one.txt'), at(root, 'app/again.txt'))
    },
  },
  {
    title: 'one more name of a file with several',
    change: (root) => {
      linkSync(at(root, 'names/a'), at(root, 'app/c'))
    },
  },
  {
    title: 'one name less of a file with several',
    change: (root) => {
      unlinkSync(at(root, 'names/b'))
    },
  },
  {
    title: 'names of one file that became two files',
    change: (root) => {
      unlinkSync(at(root, 'names/b'))
      write(root, 'names/b', 'linked')
    },
  },
  {
    title: 'two files that became one',
    change: (root) => {
      unlinkSync(at(root, 'app/two.txt'))
      linkSync(at(root, 'app/one.txt'), at(root, 'app/two.txt'))
    },
  },
  {
    title: 'the content of a file with several names',
    change: (root) => {
      writeFileSync(at(root, 'names/a'), 'other')
    },
  },
  {
    title: 'a changed hive, with its log',
    change: (root) => {
      write(root, `${CONFIG}/SOFTWARE`, hiveOf(softwareTree({...SERVER, revision: 2999})))
      write(root, `${CONFIG}/SOFTWARE.LOG1`, '')
    },
  },
  {
    title: 'a hive that is gone',
    change: (root) => {
      unlinkSync(at(root, `${CONFIG}/SAM`))
    },
  },
  {
    title: 'a new hive',
    change: (root) => {
      write(root, `${CONFIG}/SECURITY`, hiveOf(softwareTree({type: 'x'})))
    },
  },
  {title: 'nothing at all', change: () => undefined},
]

function makeTree(root: string): void {
  for (const name of ['SYSTEM', 'SAM', 'DEFAULT']) write(root, `${CONFIG}/${name}`, hiveOf(softwareTree({type: name})))
  write(root, `${CONFIG}/SOFTWARE`, hiveOf(softwareTree(SERVER)))
  write(root, `${CONFIG}/SOFTWARE.LOG1`, 'log')
  write(root, 'app/one.txt', 'one')
  write(root, 'app/two.txt', 'two')
  write(root, 'app/sub/inner.txt', 'inner')
  write(root, 'app/sub/deeper/leaf.txt', 'leaf')
  write(root, 'names/a', 'linked')
  linkSync(at(root, 'names/a'), at(root, 'names/b'))
  symlinkSync('app/one.txt', at(root, 'link'))
}

/** Old times for all, so that what changes has another. */
function settle(root: string): void {
  for (const name of readdirSync(root, {recursive: true, encoding: 'utf8'}).sort().reverse())
    if (!name.endsWith('link')) utimesSync(path.join(root, name), 1.5e9, 1.5e9)
  utimesSync(root, 1.5e9, 1.5e9)
}

/** Differences but for the time of the last access, which alone makes none, and for times of hives that a delta changes. */
function realOnes({files: rows}: DiffReport) {
  return rows.filter((row) => {
    const {left, right, fields} = row as {left?: Timed; right?: Timed; fields?: readonly string[]}
    const withoutAccess = ({times}: Timed) => JSON.stringify({...times, lastAccess: undefined})
    const isTimes = left !== undefined && right !== undefined && fields?.length === 1 && fields[0] === 'times'
    if (isTimes && /^Files\/Windows\/System32\/config\/[A-Z]+$/.test(row.path)) return false
    return !isTimes || withoutAccess(left) !== withoutAccess(right)
  })
}

interface Timed {
  readonly times: object
}

describe('the changes between two images of Windows image files', function () {
  this.timeout(60_000)
  const folder = temporaryFolder()
  let wimlib = ''

  before(function () {
    wimlib = requireTool(this, 'wimlib-imagex')
  })

  /** A file with both images, the lower one first. */
  const capture = (name: string, change: (root: string) => void): string => {
    const root = path.join(folder.path, name)
    const file = `${root}.wim`
    mkdirSync(root)
    makeTree(root)
    settle(root)
    runTool(wimlib, ['capture', root, file, 'base', '--unix-data'])
    change(root)
    runTool(wimlib, ['append', root, file, 'changed', '--unix-data'])
    return file
  }
  const given = {name: 'Gold', publisher: 'CN=Test', packageVersion: '1.0.0.0', tags: ['gold:1']}
  const codes = ({notes, losses}: ConvertReport) => [...notes, ...losses].map(({code}) => code)

  for (const [index, {title, change}] of CASES.entries())
    it(`are a layer that makes one of the other: ${title}`, async () => {
      const file = capture(`case-${String(index)}`, change)
      const archive = `docker-archive:${file}.tar`
      const report = await convert(`wim:${file}:2`, archive, {...given, bases: [`wim:${file}:1`], layers: 'chain'})
      const inspected = await inspect(archive)
      assert.equal(inspected.layers.length, 2, codes(report).join(' '))
      assert.deepEqual((await verify(archive)).faults, [])
      const difference = await compare(archive, `wim:${file}:2`, {parts: ['files', 'registry']})
      assert.deepEqual([realOnes(difference), difference.registry], [[], []])
      // What did not change is not there a second time.
      const {entries} = await files(archive, undefined, {layer: 1})
      const names = entries.map((entry) => entry.path)
      assert.ok(!names.includes(`Files/${CONFIG}/DEFAULT`), names.join(' '))
    })

  it('become a package that depends on that of the lower image', async () => {
    const file = capture('packages', (root) => {
      write(root, 'app/one.txt', 'changed')
      unlinkSync(at(root, 'app/two.txt'))
      write(root, `${CONFIG}/SYSTEM`, hiveOf(softwareTree({type: 'SYSTEM', edition: 'added'})))
    })
    const repository = `inbox:${file}-packages`
    const options = {...given, bases: [`wim:${file}:1`]}
    const report = await convert(`wim:${file}:2`, repository, options)
    const {items} = await list(repository)
    assert.deepEqual(
      items.map(({identity, dependencies}) => [identity, dependencies]),
      [
        ['CN=Microsoft_WindowsServerCore_10.0.20348.2113', []],
        ['CN=Test_Gold_1.0.0.0', ['CN=Microsoft_WindowsServerCore_10.0.20348.2113']],
      ],
      codes(report).join(' '),
    )
    assert.deepEqual((await verify(repository)).faults, [])
    const top = `${repository}:${report.artifacts.at(-1)?.identity ?? ''}`
    const difference = await compare(top, `wim:${file}:2`, {parts: ['files', 'registry']})
    assert.deepEqual([realOnes(difference), difference.registry], [[], []])
    const archive = `docker-archive:${file}-back.tar`
    await convert(top, archive, given)
    assert.equal((await inspect(archive)).layers.length, 2)
    // Squashed into one, it is what the upper image is.
    const squashed = `docker-archive:${file}-squashed.tar`
    await convert(archive, squashed, {...given, withBase: true})
    const whole = await compare(squashed, `wim:${file}:2`, {parts: ['files', 'registry']})
    assert.deepEqual([realOnes(whole), whole.registry], [[], []])
  })

  it('are refused where the base is the image itself', async () => {
    const file = capture('itself', () => undefined)
    await assert.rejects(convert(`wim:${file}:1`, `docker-archive:${file}.tar`, {bases: [`wim:${file}:1`]}), {
      code: 'BAD_OPTION',
    })
  })

  it('name the operating system by its SOFTWARE hive, and tell where the XML contradicts it', async () => {
    const file = capture('proven', () => undefined)
    runTool(wimlib, ['info', file, '1', '--image-property', 'WINDOWS/EDITIONID=ServerDatacenterNano'])
    for (const field of ['MAJOR=10', 'MINOR=0', 'BUILD=14393', 'SPBUILD=0'])
      runTool(wimlib, ['info', file, '1', '--image-property', `WINDOWS/VERSION/${field}`])
    const {platform, warnings} = await inspect(`wim:${file}:1`)
    assert.deepEqual([platform.osVersion, platform.osFeatures], ['10.0.20348.2113', ['win32k']])
    const told = warnings.filter(({code}) => code === 'os-evidence-contradicts').map(({message}) => message)
    assert.deepEqual(told, [
      'The SOFTWARE hive says version 10.0.20348.2113, but the XML says 10.0.14393.0. transship trusts the hive.',
      'The SOFTWARE hive says edition ServerDatacenterCor, but the XML says ServerDatacenterNano. transship trusts the hive.',
    ])
  })
})

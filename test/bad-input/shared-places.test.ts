import assert from 'node:assert/strict'
import {spawn, spawnSync} from 'node:child_process'
import {once} from 'node:events'
import {cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {convert} from '../../src/convert/convert.js'
import {verify} from '../../src/convert/verify.js'
import {OpenRoot, openRegular, readBounded} from '../../src/disk/safe-open.js'
import {FolderFiles} from '../../src/formats/transport-layout/folder-files.js'
import {findInAuthFile} from '../../src/transports/docker/credentials.js'
import {MAX_PATH_DEPTH} from '../../src/model/layer-path.js'
import {classicMembers, partsOf, tarOf} from '../helpers/archives.js'
import {layerOf} from '../helpers/refusals.js'
import {MAIN, runCli, runJson} from '../helpers/run-cli.js'
import {assertSchema} from '../helpers/schemas.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const SHOP = 'docker-archive:samples/shop.tar'
const HEX = '0123456789ab'
const OTHER = {layers: 'chain', publisher: 'CN=Other', name: 'Other'} as const

interface Failed {
  readonly error: {readonly code: string; readonly exitCode: number; readonly message: string}
}

describe('bad input: places that others write to', function () {
  if (process.platform === 'win32') return
  const folder = temporaryFolder()
  let count = 0
  const place = (): string => {
    const made = path.join(folder.path, String(count++))
    mkdirSync(made)
    return made
  }
  const pipe = (file: string) => {
    assert.equal(spawnSync('mkfifo', [file]).status, 0)
    return file
  }

  describe('what is no regular file, where a file is opened by its name', () => {
    const KINDS: readonly (readonly [string, (file: string) => void])[] = [
      ['a pipe', pipe],
      [
        'a link to a pipe',
        (file) => {
          pipe(`${file}.target`)
          symlinkSync(`${file}.target`, file)
        },
      ],
      [
        'a link to an endless device',
        (file) => {
          symlinkSync('/dev/zero', file)
        },
      ],
      [
        'a folder',
        (file) => {
          mkdirSync(file)
        },
      ],
    ]
    for (const [kind, make] of KINDS) {
      for (const {what, args, name} of [
        {what: 'an archive', name: 'image.tar', args: (at: string) => ['list', `docker-archive:${at}/image.tar`]},
        {what: 'an AppX package', name: 'a.appx', args: (at: string) => ['inspect', `appx:${at}/a.appx`]},
        {what: 'a hive', name: 'SYSTEM', args: (at: string) => ['hive', `hive:${at}/SYSTEM`]},
        {what: 'a plan', name: 'plan.yaml', args: (at: string) => ['batch', `${at}/plan.yaml`]},
        {
          what: 'the lock of a repository',
          name: '.lock',
          args: (at: string) => ['convert', SHOP, `inbox:${at}`, '--publisher', 'CN=Other', '--name', 'Other'],
        },
      ]) {
        it(`neither hangs nor fails as a fault of ours: ${kind} as ${what}`, async () => {
          const at = place()
          make(path.join(at, name))
          const {code, json} = await runJson(args(at))
          const {error} = json as Failed
          // A folder is a place of AppX packages, which holds none here.
          const isPlace = kind === 'a folder' && what === 'an AppX package'
          assert.deepEqual([code, error.code], [3, isPlace ? 'NOT_FOUND' : 'UNRECOGNISED_FORMAT'], error.message)
        })
      }
    }

    it('is refused as an authentication file, which is read when a registry asks for it', async () => {
      const file = pipe(path.join(place(), 'auth.json'))
      await assert.rejects(findInAuthFile({host: 'localhost:1', repository: 'a'}, file), {code: 'UNRECOGNISED_FORMAT'})
    })

    it('is refused by its handle', () => {
      const at = place()
      pipe(path.join(at, 'pipe'))
      symlinkSync('pipe', path.join(at, 'link'))
      for (const file of ['pipe', 'link', '.'])
        for (const isListed of [false, true])
          assert.throws(() => openRegular(path.join(at, file), {links: 'followed', isListed}), {
            code: 'UNRECOGNISED_FORMAT',
          })
    })

    it('is bounded by what is read, not by what it says of itself', function () {
      if (process.platform !== 'linux') this.skip()
      assert.throws(() => readBounded('/proc/kallsyms', 1000), {code: 'LIMIT_EXCEEDED'})
      assert.ok(readBounded('/proc/self/status', 100_000).byteLength > 100, 'a file that tells no size is read')
    })
  })

  describe('a journal', () => {
    for (const [kind, make] of [
      [
        'a link',
        (file: string, other: string) => {
          symlinkSync(other, file)
        },
      ],
      ['a pipe', (file: string) => pipe(file)],
    ] as const)
      it(`that is ${kind} is refused, and nothing is written through it`, async () => {
        const at = place()
        const other = path.join(at, 'precious')
        writeFileSync(other, 'data')
        const plan = path.join(at, 'plan.yaml')
        writeFileSync(
          plan,
          `version: 1\nitems:\n  - id: one\n    source: docker-archive:${path.resolve('samples/shop.tar')}\n    destination: docker-archive:${at}/out.tar\n`,
        )
        make(`${plan}.journal`, other)
        const {code, stderr} = await runCli(['batch', plan])
        assert.equal(code, 3, stderr)
        assert.match(stderr, /UNRECOGNISED_FORMAT/)
        assert.equal(readFileSync(other, 'utf8'), 'data')
      })
  })

  describe('a folder of a layout that becomes a link while it is read', () => {
    it('is not followed', () => {
      const [at, other] = [place(), place()]
      mkdirSync(path.join(at, 'Files', 'deep'), {recursive: true})
      for (const root of [path.join(at, 'Files', 'deep'), other]) writeFileSync(path.join(root, 'file'), root)
      const files = new FolderFiles(at, at)
      assert.deepEqual(files.list('Files/deep').files, ['file'])
      renameSync(path.join(at, 'Files', 'deep'), path.join(at, 'Files', 'aside'))
      symlinkSync(other, path.join(at, 'Files', 'deep'))
      const refused = {code: 'NAME_UNSAFE'}
      assert.throws(() => files.open('Files/deep/file', 1, 'Files/deep/file'), refused)
      assert.throws(() => files.findSmall('Files/deep/file', 100, 'Files/deep/file'), refused)
      assert.throws(() => files.areSame('Files/deep/file', 'Files/aside/file'), refused)
      assert.throws(() => files.list('Files/deep'))
    })

    it('may be reached by a link that its user names', () => {
      const [at, link] = [place(), path.join(place(), 'link')]
      writeFileSync(path.join(at, 'file'), 'data')
      symlinkSync(at, link)
      const root = new OpenRoot(link)
      assert.equal(root.list('', link).length, 1)
      assert.ok(root.open('file', 'file').stats.isFile())
    })
  })

  describe('a path that leads through too many folders', () => {
    for (const depth of [MAX_PATH_DEPTH + 1, 2100])
      it(`is refused, with more allowed as well, and the repository stays of use: ${depth}`, async () => {
        const root = path.join(place(), 'r')
        cpSync('samples/repository', root, {recursive: true, preserveTimestamps: true})
        const deep = ['Files', ...Array.from({length: depth - 2}, () => 'a'), 'file'].join('/')
        const parts = partsOf([
          await layerOf([
            ['Files/', ''],
            [deep, 'x'],
          ]),
        ])
        const image = path.join(path.dirname(root), 'deep.tar')
        writeFileSync(image, await tarOf(classicMembers(parts)))
        for (const {options, expected} of [
          {options: [], expected: [3, 'LIMIT_EXCEEDED']},
          {options: ['--max-name-depth', '100000'], expected: [4, 'NAME_TOO_LONG']},
        ]) {
          const {code, json} = await runJson(['convert', `docker-archive:${image}`, `inbox:${root}`, ...options])
          assert.deepEqual([code, (json as Failed).error.code], expected)
        }
        await convert(SHOP, `inbox:${root}`, OTHER)
        assert.ok((await verify(`inbox:${root}`)).ok)
      })
  })

  describe('a repository in which another has placed links, pipes, deep trees and false left-overs', () => {
    it('is used without harm, and doctor --clean mends it', async () => {
      const [root, other] = [path.join(place(), 'r'), place()]
      cpSync('samples/repository', root, {recursive: true, preserveTimestamps: true})
      cpSync(path.join(root, 'CN=Contoso_Shop_1.2.0.0'), path.join(other, 'CN=Precious_App_1.0.0.0'), {recursive: true})
      const theirs = () => readdirSync(other, {recursive: true, encoding: 'utf8'}).sort()
      const before = theirs()
      symlinkSync(other, path.join(root, `.tmp-${HEX}`))
      mkdirSync(path.join(root, '.tmp-bbbbbbbbbbbb'))
      symlinkSync(other, path.join(root, '.tmp-bbbbbbbbbbbb', 'replaced'))
      pipe(path.join(root, '.tmp-cccccccccccc'))
      pipe(path.join(root, `.lock-${HEX}`))
      mkdirSync(path.join(root, '.tmp-dddddddddddd'))
      const script =
        'process.chdir(process.argv[1]); for (let i = 0; i < 3000; i++) { fs.mkdirSync("a"); process.chdir("a") }'
      assert.equal(spawnSync(process.execPath, ['-e', script, path.join(root, '.tmp-dddddddddddd')]).status, 0)
      await convert(SHOP, `inbox:${root}`, OTHER)
      assert.ok((await verify(`inbox:${root}`)).ok)
      assert.deepEqual(theirs(), before)
      assert.equal(existsSync(path.join(root, 'CN=Precious_App_1.0.0.0')), false)
      const {code, json} = await runJson(['doctor', '--clean', root])
      assert.equal(code, 0)
      await assertSchema('doctor-clean', json)
      assert.deepEqual(
        readdirSync(root).filter((name) => name.startsWith('.')),
        [],
      )
      assert.deepEqual(theirs(), before)
    })
  })

  describe('a conversion that is killed', () => {
    let image = ''
    before(async () => {
      const files = Array.from({length: 6000}, (_, index) => [`Files/f${index}.txt`, `file ${index}\n`] as const)
      image = path.join(place(), 'long.tar')
      writeFileSync(image, await tarOf(classicMembers(partsOf([await layerOf([['Files/', ''], ...files])]))))
    })

    for (const transport of ['docker-archive', 'oci-archive', 'oci', 'layout'])
      it(`leaves nothing after the next run: ${transport}`, async () => {
        const at = place()
        const to = `${transport}:${at}/out`
        const options = transport === 'layout' ? ['--os-layers', '0', '--layers', 'squash'] : []
        const args = ['convert', `docker-archive:${image}`, to, ...options]
        const child = spawn(process.execPath, [MAIN, ...args], {stdio: 'ignore'})
        const closed = once(child, 'close')
        while (child.exitCode === null && readdirSync(at).length === 0)
          await new Promise((resolve) => setTimeout(resolve, 2))
        child.kill('SIGKILL')
        await closed
        assert.ok(
          readdirSync(at).some((name) => name.startsWith('.out.tmp-')),
          'it was killed while it wrote',
        )
        const {code, stderr} = await runCli([...args, ...(existsSync(`${at}/out`) ? ['--replace'] : [])])
        assert.equal(code, 0, stderr)
        assert.deepEqual(
          readdirSync(at).filter((name) => name.startsWith('.')),
          [],
        )
      })
  })

  describe('messages', () => {
    it('tell names of a layer that Windows cannot create', async () => {
      const at = place()
      const names = ['Files/what?', 'Files/a<b', 'Files/plain']
      const layer = await layerOf([['Files/', ''], ...names.map((name) => [name, 'x'] as const)])
      writeFileSync(path.join(at, 'odd.tar'), await tarOf(classicMembers(partsOf([layer]))))
      const notes: string[] = []
      await convert(`docker-archive:${at}/odd.tar`, `layout:${at}/out`, {
        layers: 'squash',
        osLayers: 0,
        onEvent: (event) => {
          if (event.kind === 'note' && event.code === 'name-not-on-windows') notes.push(event.subject, event.message)
        },
      })
      assert.equal(notes.length, 2)
      assert.ok(names.slice(0, 2).includes(notes[0] ?? ''))
      assert.match(notes[1] ?? '', /1 more entry is like it/)
    })

    it('name a temporary folder that is missing', async () => {
      const at = place()
      const {code, json} = await runJson(['list', 'docker-archive:-'], {
        env: {TMPDIR: `${at}/nowhere`},
        stdin: readFileSync('samples/shop.tar'),
      })
      const {error} = json as Failed
      assert.deepEqual([code, error.code], [4, 'IO_FAILED'])
      assert.match(error.message, new RegExp(`${at}/nowhere`))
    })

    for (const {args, expected} of [
      {args: ['\u001b]0;owned\u0007bad'], expected: 2},
      // The name of a plan.
      {args: ['batch', '\u001b[2Jbad'], expected: 3},
      {args: ['help', '\u001b[2Jbad'], expected: 2},
    ])
      it(`show what an unknown command holds and do not send it to the terminal: ${JSON.stringify(args)}`, async () => {
        const {code, stdout, stderr} = await runCli(args)
        assert.equal(code, expected)
        // eslint-disable-next-line no-control-regex
        assert.doesNotMatch(`${stdout.toString()}${stderr}`, /[\u0000-\u0008\u000b-\u001f\u007f]/)
      })
  })
})

import assert from 'node:assert/strict'
import {existsSync} from 'node:fs'
import {open, readdir, rm, writeFile} from 'node:fs/promises'
import path from 'node:path'
import {runCli, runJson} from '../helpers/run-cli.js'
import {assertSchema} from '../helpers/schemas.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {unpackLayout} from '../helpers/vectors.js'

const IDENTITY = ['--name', 'Shop', '--publisher', 'CN=Contoso', '--package-version', '1.2.0.0']

const LARGE_BYTES = 2 ** 30

/** A file of a transport layout that takes a while to copy, and no room on disk: a data stream of zeros. */
async function writeLargeFile(file: string): Promise<void> {
  const head = Buffer.alloc(24)
  head.writeUInt32LE(0x20, 0) // attributes: archive
  head.writeUInt32LE(1, 4) // BACKUP_DATA, without attributes and name
  head.writeBigUInt64LE(BigInt(LARGE_BYTES), 12)
  const handle = await open(file, 'wx')
  try {
    await handle.write(head)
    await handle.truncate(head.byteLength + LARGE_BYTES)
  } finally {
    await handle.close()
  }
}

describe('verbs', () => {
  const folder = temporaryFolder()
  let layout = ''
  let repository = ''

  before(async () => {
    layout = unpackLayout('basic', folder.path)
    repository = path.join(folder.path, 'repository')
    const {code, stderr} = await runCli(['convert', `layout:${layout}`, `inbox:${repository}`, ...IDENTITY])
    assert.equal(code, 0, stderr)
  })

  for (const {schema, args} of [
    {schema: 'convert', args: () => ['convert', `inbox:${repository}`, `layout:${path.join(folder.path, 'again')}`]},
    {schema: 'plan', args: () => ['convert', `layout:${layout}`, `inbox:${repository}-2`, ...IDENTITY, '--dry-run']},
    {schema: 'inspect', args: () => ['inspect', `inbox:${repository}`]},
    {schema: 'inspect', args: () => ['inspect', layout]},
    {schema: 'list', args: () => ['list', `inbox:${repository}`]},
    {schema: 'list', args: () => ['list', layout]},
    {schema: 'files', args: () => ['files', `inbox:${repository}`]},
    {schema: 'files', args: () => ['files', layout, 'Files\\Users', '--layer', '0']},
    {schema: 'verify', args: () => ['verify', `inbox:${repository}`]},
  ]) {
    it(`prints one document of the schema ${schema} and nothing on stderr with --json`, async () => {
      const {code, stderr, json} = await runJson(args())
      assert.deepEqual([code, stderr], [0, ''])
      await assertSchema(schema, json)
    })
  }

  it('writes nothing with --dry-run', () => {
    assert.ok(!existsSync(`${repository}-2`))
  })

  it('tells on stderr, not on stdout, what a bare path was taken for; --quiet does not', async () => {
    const told = await runCli(['list', layout])
    assert.match(told.stderr, /^Note: .*: Read as layout:/)
    assert.doesNotMatch(told.stdout.toString(), /Read as/)
    assert.equal((await runCli(['list', layout, '--quiet'])).stderr, '')
  })

  it('puts a transport layout above the parents that are given, nearest first', async () => {
    const parent = `layout:${unpackLayout('utility-vm', folder.path)}`
    const chain = [`layout:${layout}`, '--parent', parent]
    const {code, json} = await runJson(['inspect', ...chain])
    assert.equal(code, 0)
    assert.equal((json as {layers: unknown[]}).layers.length, 2)
    const filesIn = async (args: string[]): Promise<string[]> => {
      const {entries} = (await runJson(['files', ...args, '--layer', '0'])).json as {entries: {path: string}[]}
      return entries.map((entry) => entry.path)
    }
    const lowest = await filesIn(chain)
    assert.notDeepEqual(lowest, await filesIn([`layout:${layout}`]))
    assert.deepEqual(lowest, await filesIn([parent]))
  })

  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    it(`stops cleanly on ${name}: exit 130, and nothing is left at the destination`, async function () {
      // Windows ends the process without asking it.
      if (process.platform === 'win32') this.skip()
      const large = unpackLayout('reparse-tombstones', path.join(folder.path, name))
      await writeLargeFile(path.join(large, 'Files', 'large.bin'))
      const target = path.join(folder.path, `interrupted-${name}`)
      const signal = {name, after: 'Write package'}
      const result = await runCli(['convert', `layout:${large}`, `inbox:${target}`, ...IDENTITY, '-v'], {signal})
      assert.equal(result.code, 130, result.stderr)
      assert.match(result.stderr, /^Error: Interrupted/m)
      const left = existsSync(target) ? await readdir(target, {recursive: true}) : []
      assert.ok(!left.some((entry) => entry.includes('large')), left.join('\n'))
    })
  }

  it('shows what was made, and how to reach it', async () => {
    const {code, stdout} = await runCli(['list', `inbox:${repository}`, '--columns', 'kind,name,reference'])
    assert.equal(code, 0)
    assert.match(stdout.toString(), /^package +CN=Contoso_Shop_1\.2\.0\.0 .* inbox:.*:CN=Contoso_Shop_1\.2\.0\.0$/m)
    const inspected = await runCli(['inspect', `inbox:${repository}:Shop`, '--tree'])
    assert.match(inspected.stdout.toString(), /^CN=Contoso_Shop_1\.2\.0\.0\n└─ CN=Contoso_Shop_1\.2\.0\.0/)
  })

  it('writes a file byte for byte with --cat, the same from the package as from the transport layout', async () => {
    const [fromPackage, fromLayout] = await Promise.all(
      [`inbox:${repository}`, `layout:${layout}`].map((ref) => runCli(['files', ref, 'files/readme', '--cat'])),
    )
    assert.deepEqual([fromPackage?.code, fromLayout?.code], [0, 0])
    assert.equal(fromPackage?.stdout.byteLength, 9108)
    assert.ok(fromPackage.stdout.equals(fromLayout?.stdout ?? Buffer.alloc(0)))
  })

  for (const {args, code, exit, note} of [
    {args: ['inspect', 'layout:nosuch'], code: 'NOT_FOUND', exit: 3, note: 'the place is not there'},
    {args: ['files', 'LAYOUT', 'Files/nosuch'], code: 'NOT_FOUND', exit: 3, note: 'the file is not in it'},
    {args: ['files', 'LAYOUT', 'Files', '--cat'], code: 'BAD_OPTION', exit: 2, note: 'it is a directory'},
    {args: ['files', 'LAYOUT', '--layer', '9'], code: 'BAD_OPTION', exit: 2, note: 'there is no such layer'},
    {args: ['inspect', 'LAYOUT', '--config'], code: 'CONFIG_MISSING', exit: 3, note: 'it was made from no image'},
    {args: ['convert', 'LAYOUT', 'LAYOUT'], code: 'DESTINATION_EXISTS', exit: 3, note: 'something is there'},
  ]) {
    it(`fails ${args[0] ?? ''} with ${code} and exit ${exit} when ${note}`, async () => {
      const result = await runCli(args.map((arg) => (arg === 'LAYOUT' ? `layout:${layout}` : arg)))
      assert.equal(result.code, exit)
      assert.equal(result.stdout.toString(), '')
      assert.match(result.stderr, new RegExp(`^ {2}Code: {2}${code}$`, 'm'))
    })
  }

  it('exits with 1 and tells the faults when verify finds some, in text as in JSON', async () => {
    const damaged = unpackLayout('streams-sparse', folder.path)
    const broken = path.join(folder.path, 'damaged')
    const made = await runCli(['convert', `layout:${damaged}`, `inbox:${broken}`, ...IDENTITY])
    assert.equal(made.code, 0, made.stderr)
    const inside = (await readdir(broken, {recursive: true})).sort()
    const victim = inside.find((name) => /Files[\\/].*\.[a-z]+$/i.test(name) && !name.includes('$wci'))
    assert.ok(victim, inside.join('\n'))
    await rm(path.join(broken, victim), {recursive: true})
    await writeFile(path.join(broken, victim), 'damage')
    const text = await runCli(['verify', `inbox:${broken}`])
    assert.equal(text.code, 1, text.stderr)
    assert.match(text.stdout.toString(), /has \d+ faults? \(/)
    const {code, json} = await runJson(['verify', `inbox:${broken}`])
    assert.equal(code, 1)
    await assertSchema('verify', json)
  })

  it('writes an archive to a pipe, and tells of it beside', async () => {
    const piped = await runCli(['convert', `inbox:${repository}`, 'docker-archive:-'])
    assert.equal(piped.code, 0, piped.stderr)
    assert.match(piped.stderr, /Made: docker-archive:-/)
    const file = path.join(folder.path, 'piped.tar')
    await writeFile(file, piped.stdout)
    const verified = await runCli(['verify', `docker-archive:${file}`])
    assert.equal(verified.code, 0, verified.stderr)
  })

  it('refuses to mix an archive and a document on stdout', async () => {
    const refused = await runJson(['convert', `inbox:${repository}`, 'docker-archive:-'])
    assert.equal(refused.code, 2)
    await assertSchema('error', refused.json)
  })
})

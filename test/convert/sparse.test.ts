import assert from 'node:assert/strict'
import {existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {convert} from '../../src/index.js'
import {hybridMembers, partsOf, sha256, tarOf} from '../helpers/archives.js'
import {RAW_END, rawMember, SPARSE_FORMS, sparseMember, type RawSparse} from '../helpers/raw-tar.js'
import {runCli, runJson} from '../helpers/run-cli.js'
import {startCli} from '../helpers/start-cli.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {testsAtOnce} from '../helpers/tests-at-once.js'
import {diffIdsIn} from '../helpers/windows-images.js'

const HOLE_BYTES = 60_000_000_000
/** Makes a command tell the peak of its memory when it ends, in KiB. */
const WITH_PEAK = {NODE_OPTIONS: `--import=${new URL('../helpers/tell-peak.js', import.meta.url).href}`}

/** A layer of one sparse file: data, a hole, data. */
function sparseLayer(form: (typeof SPARSE_FORMS)[number], file: RawSparse): Buffer {
  return Buffer.concat([rawMember({name: 'Files', type: '5'}), sparseMember(form, file), RAW_END])
}

const huge = (name: string): RawSparse => ({
  name,
  size: HOLE_BYTES,
  ranges: [
    [1_000_000, Buffer.from('head')],
    [HOLE_BYTES - 4, Buffer.from('tail')],
  ],
})

/** What files take on the disk, bytes; holes take none. */
function storedOnDisk(folder: string): number {
  return readdirSync(folder, {withFileTypes: true, recursive: true})
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(path.join(entry.parentPath, entry.name)).blocks * 512, 0)
}

/** Waits until a process has had so much of a processor: then it is past its start, however busy the machine is. */
async function hasWorked(pid: number | undefined, seconds: number): Promise<void> {
  for (let polls = 0; polls < 600; polls++) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    const stat = `/proc/${String(pid)}/stat`
    if (!existsSync(stat)) {
      // No Linux: time alone tells.
      if (polls > 50) return
      continue
    }
    const fields = readFileSync(stat, 'latin1').split(') ').at(-1)?.split(' ') ?? []
    // Fields 14 and 15: ticks of 10 ms in user and in system mode. Source: proc(5).
    if (Number(fields[11]) + Number(fields[12]) >= seconds * 100) return
  }
}

describe('a layer of 5 KB that declares 60 GB', function () {
  this.timeout(300_000)
  const folder = temporaryFolder()
  const at = (name: string) => path.join(folder.path, name)

  async function save(name: string, layer: Buffer): Promise<string> {
    const file = at(`${name}.tar`)
    writeFileSync(file, await tarOf(hybridMembers(partsOf([layer], {os: 'windows'}))))
    return `docker-archive:${file}`
  }

  for (const [number, form] of SPARSE_FORMS.entries())
    it(`goes to packages and back in form ${form}, below 10 MB of disk and 256 MiB of memory`, async () => {
      const layer = sparseLayer(form, huge('Files/hole.bin'))
      assert.ok(layer.byteLength <= 5120, `${layer.byteLength} bytes`)
      const source = await save(`form-${number}`, layer)
      const repository = at(`inbox-${number}`)
      const back = at(`back-${number}.tar`)
      for (const args of [
        ['convert', source, `inbox:${repository}`, '--layers', 'chain'],
        ['verify', `inbox:${repository}`],
        ['verify', source],
        ['convert', `inbox:${repository}`, `docker-archive:${back}`],
      ]) {
        const {code, stderr} = await runCli(args, {env: WITH_PEAK})
        assert.equal(code, 0, stderr)
        const peak = Number(/peak (\d+)/.exec(stderr)?.[1])
        assert.ok(peak < 256 * 1024, `${args.join(' ')} took ${peak} KiB`)
      }
      assert.ok(storedOnDisk(repository) < 10_000_000, `${storedOnDisk(repository)} bytes`)
      assert.deepEqual(await diffIdsIn(back), [`sha256:${sha256(layer)}`])
      assert.ok(statSync(back).size < 100_000)
    })

  it('has the same content in a package as in the tar', async () => {
    const small: RawSparse = {name: 'Files/s.bin', size: 5_000_000, ranges: [[2_000_000, Buffer.from('middle')]]}
    const source = await save('small', sparseLayer('1.0', small))
    await convert(source, `inbox:${at('small')}`, {layers: 'chain'})
    const expected = Buffer.alloc(small.size)
    expected.write('middle', 2_000_000)
    for (const reference of [source, `inbox:${at('small')}`]) {
      const {code, stdout} = await runCli(['files', reference, 'Files/s.bin', '--cat'])
      assert.equal(code, 0)
      assert.ok(stdout.equals(expected), reference)
    }
    const {code, stdout} = await runCli(['diff', source, `inbox:${at('small')}`, '--only', 'files'])
    assert.equal(code, 0, stdout.toString())
  })

  describe('is refused where its holes would have to be spelt out', () => {
    it('in each way, naming the option', async () => {
      const source = await save('refused', sparseLayer('1.0', huge('Files/hole.bin')))
      await convert(source, `layout:${at('bare')}`)
      const vm = await save('vm', sparseLayer('1.0', huge('UtilityVM/Files/hole.bin')))
      const hive = await save('hive', sparseLayer('1.0', huge('Hives/Software_Delta')))
      for (const args of [
        ['convert', `layout:${at('bare')}`, `docker-archive:${at('spelt.tar')}`, '--tag', 'a:1'],
        ['convert', `layout:${at('bare')}`, `oci:${at('spelt')}`, '--tag', 'a:1', '--compression', 'gzip'],
        ['convert', vm, `inbox:${at('vm')}`, '--layers', 'chain'],
        ['convert', hive, `inbox:${at('hive')}`, '--layers', 'chain'],
        ['diff', source, `layout:${at('bare')}`],
      ]) {
        const {code, json} = await runJson(args)
        const {error} = json as {error: {code: string; suggestions: string[]}}
        assert.equal(code, 3, JSON.stringify(json))
        assert.equal(error.code, 'LIMIT_EXCEEDED')
        assert.match(error.suggestions.join(' '), /--max-unpacked SIZE/)
      }
      const cat = await runCli(['files', source, 'Files/hole.bin', '--cat'])
      assert.equal(cat.code, 3)
      assert.match(cat.stderr, /--max-unpacked SIZE/)
    })

    it('beyond what --max-unpacked allows, for all holes of a layer together', async () => {
      const file = (name: string): RawSparse => ({name, size: 2_000_000, ranges: []})
      const layer = Buffer.concat([
        rawMember({name: 'Files', type: '5'}),
        sparseMember('1.0', file('Files/a')),
        sparseMember('1.0', file('Files/b')),
        RAW_END,
      ])
      await convert(await save('two', layer), `layout:${at('two')}`)
      const args = ['convert', `layout:${at('two')}`, `docker-archive:${at('two-back.tar')}`, '--tag', 'a:1']
      assert.equal((await runCli([...args, '--max-unpacked', '3MB'])).code, 3)
      assert.equal((await runCli([...args, '--max-unpacked', '4MB'])).code, 0)
      assert.equal((await runCli([...args, '--max-unpacked', 'much'])).code, 2)
      const [layerBack] = await diffIdsIn(at('two-back.tar'))
      assert.ok(layerBack)
    })
  })

  describe('whose holes are spelt out all the same', function () {
    this.timeout(300_000)
    const atOnce = testsAtOnce()
    let plain: string

    // Its plain file has a hole of 60 GB, which its index states as well: all of it is read.
    before(async () => {
      plain = `layout:${at('plain')}`
      const vm: RawSparse = {name: 'UtilityVM/Files/hole.bin', size: 3_000_000, ranges: []}
      await convert(await save('plain', sparseLayer('1.0', vm)), plain)
      truncateSync(path.join(at('plain'), 'UtilityVM/Files/hole.bin'), HOLE_BYTES)
      const index = `${at('plain')}.payload-index.jsonl`
      writeFileSync(index, readFileSync(index, 'utf8').replaceAll('3000000', String(HOLE_BYTES)))
    })

    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      atOnce(`end at ${signal}, wherever it comes, long before they are through`, async () => {
        const name = signal.toLowerCase()
        const source = await save(name, sparseLayer('old GNU', huge('Files/hole.bin')))
        await convert(source, `layout:${at(`${name}-bare`)}`)
        const vm = await save(`${name}-vm`, sparseLayer('old GNU', huge('UtilityVM/Files/hole.bin')))
        const target = at(`${name}-target`)
        for (const args of [
          ['convert', vm, `inbox:${target}`, '--layers', 'chain'],
          // Compressed, zeros take no room.
          ['convert', `layout:${at(`${name}-bare`)}`, `oci:${target}-1`, '--tag', 'a:1', '--compression', 'gzip'],
          ['convert', plain, `oci:${target}-2`, '--tag', 'a:1', '--compression', 'gzip'],
          ['verify', plain],
          ['diff', source, `layout:${at(`${name}-bare`)}`],
          ['files', source, 'Files/hole.bin', '--cat'],
        ]) {
          const running = startCli([...args, '--max-unpacked', '1TiB', ...(args.includes('--cat') ? [] : ['--json'])])
          // Nobody keeps what is written, and nobody holds it up.
          running.child.stdout?.removeAllListeners('data').resume()
          await hasWorked(running.child.pid, 1.5)
          assert.equal(running.child.exitCode, null, `${args.join(' ')} ended early: ${running.said()}`)
          running.child.kill(signal)
          assert.equal(await running.ended, 130, `${args.join(' ')}: ${running.said()}`)
        }
        assert.deepEqual(
          readdirSync(folder.path, {recursive: true, encoding: 'utf8'}).filter((entry) =>
            new RegExp(`^${name}-target.*(?:blobs|Files)`).test(entry),
          ),
          [],
        )
      })
  })
})

import assert from 'node:assert/strict'
import {spawnSync} from 'node:child_process'
import {readdirSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {decompress} from '../../src/codecs/compression/decompress.js'
import {chunked} from '../helpers/bytes.js'
import {compressedBy} from '../helpers/windows-images.js'
import {rawHeader} from '../helpers/raw-tar.js'
import {runCli} from '../helpers/run-cli.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {requireTool} from '../helpers/tools.js'

const TOOLS = {gzip: 'gzip', bzip2: 'bzip2', xz: 'xz', zstd: 'zstd'} as const
const COMPRESSIONS = Object.keys(TOOLS) as (keyof typeof TOOLS)[]
const BOMB_BYTES = 80 * 2 ** 20

const spools = () => readdirSync(tmpdir()).filter((name) => /^transship-[0-9a-f]{12}-/.test(name))

describe('bad input: streams that unpack to far more than they are', function () {
  this.timeout(120_000)
  const folder = temporaryFolder()
  const bombs = new Map<string, Buffer>()

  before(function () {
    for (const tool of COMPRESSIONS) requireTool(this, TOOLS[tool])
    // A tar whose only member is all zeros.
    const header = rawHeader({name: 'layer.tar', size: BOMB_BYTES - 2048})
    const tar = Buffer.concat([header, Buffer.alloc(BOMB_BYTES - 512)])
    for (const compression of COMPRESSIONS) {
      const bomb = compressedBy(TOOLS[compression], tar)
      bombs.set(compression, bomb)
      writeFileSync(path.join(folder.path, `bomb.${compression}`), bomb)
    }
  })

  for (const compression of COMPRESSIONS) {
    it(`are cut off while they unpack: ${compression}`, async () => {
      const bomb = bombs.get(compression) ?? Buffer.alloc(0)
      let unpacked = 0
      const reading = async () => {
        for await (const chunk of decompress(chunked(bomb, 64 * 1024), compression, {title: 'It', maxRatio: 10}))
          unpacked += chunk.byteLength
      }
      await assert.rejects(reading(), {code: 'LIMIT_EXCEEDED'})
      assert.ok(unpacked < Math.max(2 ** 20, 10 * bomb.byteLength) + 2 ** 20, `${unpacked} bytes came out`)
    })

    for (const [option, value] of [
      ['--max-ratio', '10'],
      ['--max-unpacked', '32MiB'],
    ] as const)
      it(`leave no temporary file: ${compression}, by ${option}`, async () => {
        const before = spools()
        const file = path.join(folder.path, `bomb.${compression}`)
        const {code, stderr} = await runCli(['inspect', `docker-archive:${file}`, option, value])
        assert.equal(code, 3, stderr)
        assert.match(stderr, /LIMIT_EXCEEDED/)
        assert.ok(stderr.includes(option), stderr)
        assert.deepEqual(spools(), before)
      })
  }

  it('are held to the default ratio where no option is given', async () => {
    const {code, stderr} = await runCli(['list', `docker-archive:${path.join(folder.path, 'bomb.bzip2')}`])
    assert.equal(code, 3, stderr)
    assert.match(stderr, /LIMIT_EXCEEDED/)
    assert.match(stderr, /--max-ratio/)
  })

  it('are held to a size when they come from standard input without compression', () => {
    const main = path.resolve(import.meta.dirname, '../../src/main.js')
    const args = [main, 'inspect', 'docker-archive:-', '--max-unpacked', '1MiB']
    const {status, stderr} = spawnSync(process.execPath, args, {input: Buffer.alloc(4 * 2 ** 20), encoding: 'utf8'})
    assert.equal(status, 3, stderr)
    assert.match(stderr, /LIMIT_EXCEEDED/)
  })
})

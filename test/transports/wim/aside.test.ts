import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {verify} from '../../../src/index.js'
import {WimFile} from '../../../src/transports/wim/wim-file.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {requireTool, runTool} from '../../helpers/tools.js'

/** Text, noise and x86 code in turn, so that chunks are packed in every way, and the last one is short. */
function mixture(bytes: number): Buffer {
  const parts: Buffer[] = []
  const program = readFileSync(process.execPath).subarray(2 ** 22, 2 ** 22 + 200_000)
  for (let length = 0, last = Buffer.from('seed'); length < bytes;) {
    last = createHash('sha512').update(last).digest()
    const noise = Buffer.concat(
      Array.from({length: 700}, (_, at) => createHash('sha512').update(last).update(String(at)).digest()),
    )
    const text = Buffer.from(`line ${last.toString('hex')}\r\n`.repeat(400))
    parts.push(noise, text, program)
    length += noise.length + text.length + program.length
  }
  return Buffer.concat(parts).subarray(0, bytes)
}

describe('large contents of Windows image files, unpacked on all cores', function () {
  this.timeout(60_000)
  const folder = temporaryFolder()
  const content = mixture(5_000_001)
  let wimlib = ''

  before(function () {
    wimlib = requireTool(this, 'wimlib-imagex')
    mkdirSync(path.join(folder.path, 'tree'))
    writeFileSync(path.join(folder.path, 'tree', 'large.bin'), content)
  })

  for (const [title, options] of [
    ['XPRESS', ['--compress=XPRESS']],
    ['LZX', ['--compress=LZX']],
    ['LZMS', ['--compress=LZMS']],
    ['LZMS, solid', ['--compress=LZMS', '--solid']],
    ['LZX in chunks of 2 MiB', ['--compress=LZX', '--chunk-size=2M']],
    ['LZX, pipable', ['--compress=LZX', '--pipable']],
    ['LZX, solid', ['--compress=LZX', '--solid', '--solid-compress=LZX', '--solid-chunk-size=128K']],
  ] as const) {
    const capture = () => {
      const file = path.join(folder.path, `${title}.wim`)
      runTool(wimlib, ['capture', path.join(folder.path, 'tree'), file, ...options])
      return file
    }

    it(`come out as they went in: ${title}`, async () => {
      const wim = await WimFile.open(capture())
      try {
        const blobs = [...wim.table.blobs.values()]
        assert.equal(blobs.length, 1)
        const [blob] = blobs
        assert.ok(blob !== undefined)
        const pieces: Uint8Array[] = []
        for await (const piece of wim.read(blob, 'large.bin')) pieces.push(Uint8Array.from(piece))
        assert.ok(Buffer.concat(pieces).equals(content))
        // Whoever leaves early leaves nothing running.
        for await (const piece of wim.read(blob, 'large.bin')) {
          assert.ok(piece.byteLength > 0)
          break
        }
      } finally {
        await wim.close()
      }
    })

    it(`are found to be damaged by one bit: ${title}`, async () => {
      const file = capture()
      const bytes = readFileSync(file)
      assert.deepEqual((await verify(`wim:${file}`)).faults, [])
      for (const place of [0.2, 0.5, 0.8]) {
        const damaged = Buffer.from(bytes)
        const at = Math.floor(bytes.length * place)
        damaged.writeUInt8(damaged.readUInt8(at) ^ 4, at)
        writeFileSync(file, damaged)
        const {faults} = await verify(`wim:${file}`)
        assert.ok(
          faults.some(({code}) => code === 'DIGEST_MISMATCH' || code === 'ARCHIVE_CORRUPT'),
          JSON.stringify(faults),
        )
      }
    })
  }
})

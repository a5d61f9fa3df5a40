import assert from 'node:assert/strict'
import {spawnSync} from 'node:child_process'
import {mkdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {createGunzip} from 'node:zlib'
import fc from 'fast-check'
import {throughTransform} from '../../../src/codecs/compression/through-transform.js'
import {findEncoder, likelyEncoders} from '../../../src/codecs/gzip-encoding/gzip-encoder.js'
import {GzipMatch, type GzipRecipe} from '../../../src/codecs/gzip-encoding/match-gzip.js'
import {rebuildGzip} from '../../../src/codecs/gzip-encoding/rebuild-gzip.js'
import {chunked, collect} from '../../helpers/bytes.js'
import {ENCODING_INPUTS} from '../../helpers/encoding-vectors.js'
import {FUZZ_RUNS} from '../../helpers/fuzz.js'
import {GZIP_HEADERS, gzipBy} from '../../helpers/gzip-forms.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {requireTool, runTool} from '../../helpers/tools.js'

/** Gives stream and text as a decompressor meets them. */
async function match(stream: Uint8Array, chunkBytes = 32768): Promise<GzipRecipe | undefined> {
  const found = new GzipMatch()
  async function* watched(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunked(stream, chunkBytes)) {
      found.addStream(chunk)
      yield chunk
    }
  }
  for await (const text of throughTransform(watched(), createGunzip(), undefined)) found.addText(text)
  return found.finish()
}

describe('A gzip stream and its encoder', function () {
  this.timeout(120_000)
  const folder = temporaryFolder()
  const tar = (): Buffer => Buffer.concat([ENCODING_INPUTS['tar']!(), ENCODING_INPUTS['L-mixed']!()])

  for (const name of Object.keys(GZIP_HEADERS)) {
    it(`is found and made again: ${name}`, async () => {
      for (const text of [tar(), ENCODING_INPUTS['hello']!(), Buffer.alloc(0), ENCODING_INPUTS['L-3MiB']!()]) {
        const stream = gzipBy(name, text)
        const recipe = await match(stream)
        assert.ok(recipe, `${text.length} bytes`)
        assert.ok((await collect(rebuildGzip(chunked(text, 5000), recipe))).equals(stream))
        // Of a short text several encoders may give the same; of a long one only this.
        if (text.length > 2 ** 20) assert.equal(recipe.encoder, name)
      }
    })
  }

  for (const [tool, args, name] of [
    ['gzip', ['-1'], 'gzip:1'],
    ['gzip', ['-6'], 'gzip:6'],
    ['gzip', ['-9', '-n'], 'gzip:9'],
    ['pigz', ['-6', '-n'], 'pigz:6'],
    ['pigz', ['-9', '-p1'], 'pigz:9'],
  ] as const) {
    it(`is found for what ${tool} ${args.join(' ')} wrote from a pipe`, async function () {
      requireTool(this, tool)
      const stream = spawnSync(tool, [...args, '-c'], {input: tar(), maxBuffer: 2 ** 26}).stdout
      assert.equal((await match(stream))?.encoder, name)
    })
  }

  it('is found for what Go writes, at every level', async function () {
    const go = requireTool(this, 'go')
    const source = path.join(folder.path, 'go')
    mkdirSync(source)
    writeFileSync(
      path.join(source, 'main.go'),
      'package main\nimport ("compress/gzip"; "io"; "os"; "strconv")\nfunc main() {\n  level, _ := strconv.Atoi(os.Args[1])\n  w, _ := gzip.NewWriterLevel(os.Stdout, level)\n  io.Copy(w, os.Stdin)\n  w.Close()\n}\n',
    )
    writeFileSync(path.join(source, 'go.mod'), 'module encoder\n')
    runTool(go, ['build', '-o', 'encoder', '.'], {cwd: source})
    for (const level of [-2, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, -1]) {
      const run = spawnSync(path.join(source, 'encoder'), [String(level)], {input: tar(), maxBuffer: 2 ** 26})
      assert.equal((await match(run.stdout))?.encoder, `go-1.8:${level === -1 ? 6 : level}`)
    }
  })

  for (const name of ['go-1.8:6', 'gzip:6', 'pigz:9', 'pgzip-1.15.10:1048576'])
    it(`is found where the first block stands for megabytes of repeats: ${name}`, async () => {
      const text = Buffer.concat([Buffer.alloc(12 * 2 ** 20, 'repeat'), ENCODING_INPUTS['text']!()])
      assert.equal((await match(gzipBy(name, text)))?.encoder, name)
    })

  it('gives nothing for a stream that any byte of is another, or that goes on', () => {
    const stream = gzipBy('go-1.8:6', ENCODING_INPUTS['text']!())
    const text = ENCODING_INPUTS['text']!()
    const proves = (altered: Uint8Array): boolean => {
      const found = new GzipMatch()
      found.addStream(altered)
      found.addText(text)
      return found.finish() !== undefined
    }
    assert.ok(proves(stream))
    fc.assert(
      fc.property(fc.integer({min: 10, max: stream.length - 1}), fc.integer({min: 1, max: 255}), (at, change) => {
        const altered = Uint8Array.from(stream)
        altered[at] = altered[at]! ^ change
        assert.ok(!proves(altered))
      }),
      {numRuns: Math.ceil(FUZZ_RUNS / 8)},
    )
    assert.ok(!proves(Buffer.concat([stream, Buffer.alloc(1)])))
    assert.ok(!proves(stream.subarray(0, -1)))
    assert.ok(!proves(Buffer.concat([stream, stream])))
  })

  it('is made again whatever the text, whoever encoded it, in whatever pieces it is met and rebuilt', async () => {
    const run = fc.tuple(fc.uint8Array({minLength: 1, maxLength: 40}), fc.integer({min: 1, max: 3000}))
    const noise = fc.tuple(fc.integer(), fc.integer({min: 1, max: 70_000}))
    const text = fc
      .array(fc.oneof(run.map(repeated), noise.map(noiseOf)), {maxLength: 6})
      .map((parts) => Buffer.concat(parts))
    const pieces = fc.integer({min: 1, max: 100_000})
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.constantFrom(...Object.keys(GZIP_HEADERS)),
        pieces,
        pieces,
        async (text, name, met, made) => {
          const stream = gzipBy(name, text)
          const recipe = await match(stream, met)
          assert.ok(recipe, name)
          assert.ok((await collect(rebuildGzip(chunked(text, made), recipe))).equals(stream), name)
        },
      ),
      {numRuns: Math.ceil(FUZZ_RUNS / 10)},
    )
  })

  it('does not depend on the pieces that it is met in', async () => {
    const stream = gzipBy('pgzip-1.15.10:262144', tar())
    for (const size of [100, 4096, 70_000, stream.length])
      assert.equal((await match(stream, size))?.encoder, 'pgzip-1.15.10:262144')
  })

  it('knows no encoder by a name that it does not know', () => {
    for (const name of ['', 'go-1.27:6', 'go-1.8:10', 'zlib:0', 'pgzip-1.15.10:1', 'pgzip-1.15.10:99999999', 'gzip'])
      assert.equal(
        findEncoder(name, () => undefined),
        undefined,
      )
    for (const hex of Object.values(GZIP_HEADERS))
      for (const name of likelyEncoders(Buffer.from(hex, 'hex'))) assert.ok(findEncoder(name, () => undefined))
  })
})

function repeated([unit, times]: [Uint8Array, number]): Buffer {
  return Buffer.alloc(unit.length * times, unit)
}

/** Bytes of a linear congruential generator: nothing compresses them. */
function noiseOf([seed, length]: [number, number]): Buffer {
  let state = seed >>> 0
  return Buffer.from(
    Uint8Array.from({length}, () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) >>> 24),
  )
}

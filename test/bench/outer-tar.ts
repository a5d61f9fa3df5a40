import {createHash, randomBytes} from 'node:crypto'
import {createReadStream, createWriteStream, mkdirSync, mkdtempSync, rmSync, statSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {Readable} from 'node:stream'
import {pipeline} from 'node:stream/promises'
import {extract, pack, type Pack} from 'tar-stream'
import {Archive} from '../../src/formats/archive-file/archive.js'
import {TarFile} from '../../src/formats/archive-file/tar-file.js'
import {median} from './measured.js'
import {renderTable} from './table.js'

/*
 * What writing and reading the outer tar of an archive would cost with tar-stream, against the code in
 * src/formats/archive-file. Layers get their names, which are digests, only after their last byte. tar-stream wants name
 * and size first, so each layer takes a detour by a temporary file; the row "sizes known" leaves that out, for comparison.
 *   TMPDIR=/dev/shm npm run bench:tar -- [--rounds N] [--layers N] [--megabytes N]
 */

function numberOf(flag: string, otherwise: number): number {
  const at = process.argv.indexOf(flag)
  return at < 0 ? otherwise : Number(process.argv[at + 1])
}

const rounds = numberOf('--rounds', 9)
const layers = numberOf('--layers', 4)
const chunks = numberOf('--megabytes', 128) * 4
const folder = mkdtempSync(path.join(tmpdir(), 'transship-bench-'))
const chunk = randomBytes(256 * 1024)
const layerBytes = chunks * chunk.byteLength
const at = (name: string) => path.join(folder, name)

/** A layer as it comes out of an encoder: hashed as it passes. */
function layer(): {readonly body: AsyncIterable<Uint8Array>; readonly name: () => string} {
  const hash = createHash('sha256')
  // eslint-disable-next-line @typescript-eslint/require-await -- what is at hand, in the shape of what is not
  async function* body(): AsyncGenerator<Uint8Array> {
    for (let index = 0; index < chunks; index++) {
      hash.update(chunk)
      yield chunk
    }
  }
  return {body: body(), name: () => `blobs/sha256/${hash.digest('hex')}`}
}

async function writeOwn(file: string): Promise<void> {
  const tar = await TarFile.create(file)
  for (let index = 0; index < layers; index++) {
    const {body, name} = layer()
    const member = await tar.addBody(body, {})
    await tar.name(member, name())
  }
  await tar.commit({replace: true})
}

async function addEntry(tar: Pack, name: string, body: AsyncIterable<Uint8Array>): Promise<void> {
  await pipeline(Readable.from(body), tar.entry({name, size: layerBytes, mode: 0o444, mtime: new Date(0)}))
}

async function packed(file: string, fill: (tar: Pack) => Promise<void>): Promise<void> {
  const tar = pack()
  const written = pipeline(tar, createWriteStream(file, {flags: 'w', flush: true}))
  await fill(tar)
  tar.finalize()
  await written
}

async function writePacked(file: string): Promise<void> {
  await packed(file, async (tar) => {
    for (let index = 0; index < layers; index++) {
      const {body, name} = layer()
      const spool = at('layer.tmp')
      await pipeline(body, createWriteStream(spool))
      await addEntry(tar, name(), createReadStream(spool, {highWaterMark: chunk.byteLength}))
      rmSync(spool)
    }
  })
}

async function writePackedKnown(file: string): Promise<void> {
  await packed(file, async (tar) => {
    for (let index = 0; index < layers; index++) {
      const {body, name} = layer()
      await addEntry(tar, `blobs/sha256/${index}`, body)
      name()
    }
  })
}

const piped = () => createReadStream(at('source.tar'), {highWaterMark: 64 * 1024})

async function readOwn(): Promise<void> {
  const archive = await Archive.ofStream(piped(), {title: 'source.tar'})
  if ([...archive.names()].length === 0) throw new Error('The archive is empty.')
  await archive.close()
}

/** Every member into a file of its own, since members are wanted in another order than they come. */
async function readExtracted(): Promise<void> {
  const members = at('members')
  mkdirSync(members)
  const tar = extract()
  const fed = pipeline(piped(), tar)
  let index = 0
  for await (const entry of tar) {
    await pipeline(entry, createWriteStream(path.join(members, String(index))))
    index++
  }
  await fed
  rmSync(members, {recursive: true})
}

const writers = {
  'write, own': () => writeOwn(at('own.tar')),
  'write, tar-stream': () => writePacked(at('packed.tar')),
  'write, tar-stream, sizes known': () => writePackedKnown(at('packed.tar')),
}
const readers = {'read, own': readOwn, 'read, tar-stream': readExtracted}

/** Each contender once a round, in turn; the ratio of a round is against the first one. */
async function compare(contenders: Readonly<Record<string, () => Promise<void>>>): Promise<string[][]> {
  const seconds = new Map(Object.keys(contenders).map((name) => [name, [] as number[]]))
  for (let round = 0; round <= rounds; round++) {
    for (const [name, run] of Object.entries(contenders)) {
      const started = performance.now()
      await run()
      // The first round warms up.
      if (round > 0) seconds.get(name)?.push((performance.now() - started) / 1000)
    }
  }
  const [base = []] = seconds.values()
  return [...seconds].map(([name, taken]) => [
    name,
    `${median(taken).toFixed(2)} s`,
    `${((median(taken.map((each, round) => each / (base[round] ?? each))) - 1) * 100).toFixed(0)} %`,
  ])
}

try {
  await writeOwn(at('source.tar'))
  const megabytes = Math.round(statSync(at('source.tar')).size / 2 ** 20)
  const rows = [...(await compare(writers)), ...(await compare(readers))]
  console.log(`\n${layers} layers, ${megabytes} MiB, ${rounds} rounds in turn:\n`)
  console.log(renderTable(['what', 'median', 'slower than own by'], rows))
} finally {
  rmSync(folder, {recursive: true, force: true})
}

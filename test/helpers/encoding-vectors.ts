import {readFileSync} from 'node:fs'

/** What an encoder made of one of the inputs; see test/vectors/README.md. */
export interface EncodingVector {
  readonly input: string
  readonly encoder: string
  readonly level: string
  readonly options: string
  readonly sizeBytes: number
  /** Hex SHA-256 of the whole output. */
  readonly sha256: string
  /** Of the deflate stream alone, between a header of 10 bytes and the trailer of 8. */
  readonly bodySha256: string
}

export function encodingVectors(): readonly EncodingVector[] {
  const [, ...lines] = readFileSync('test/vectors/encodings/vectors.tsv', 'utf8').trim().split('\n')
  return lines.map((line) => {
    const [input, , encoder, level, options, size, sha256, bodySha256] = line.split('\t')
    return {
      input: input!,
      encoder: encoder!,
      level: level!,
      options: options!,
      sizeBytes: Number(size),
      sha256: sha256!,
      bodySha256: bodySha256!,
    }
  })
}

/** xorshift32: the same numbers in any language with 32-bit unsigned arithmetic. */
export function xorshift(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state ^= state << 13
    state >>>= 0
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state
  }
}

function random(size: number, seed: number): Buffer {
  const next = xorshift(seed)
  return Buffer.from(Array.from({length: size}, () => next() >>> 24))
}

function text(size: number, seed: number): Buffer {
  const next = xorshift(seed)
  const words = Array.from({length: 400}, () => {
    let word = ''
    for (let left = 2 + ((next() >>> 8) % 8); left > 0; left--) word += String.fromCharCode(97 + ((next() >>> 8) % 26))
    return word
  })
  let all = ''
  while (all.length < size)
    all += words[Math.min((next() >>> 8) % 400, (next() >>> 8) % 400)]! + ((next() >>> 8) % 12 > 0 ? ' ' : '.\n')
  return Buffer.from(all.slice(0, size), 'latin1')
}

/** Records of 16 bytes, as of a table in an executable. */
function binary(size: number, seed: number): Buffer {
  const next = xorshift(seed)
  const bytes = Buffer.alloc(size)
  for (let at = 0; at + 16 <= size; at += 16) {
    bytes.writeUInt32LE(0x400000 + at * 3, at)
    bytes.writeUInt32LE((next() >>> 8) % 64, at + 4)
    bytes.writeUInt16LE((next() >>> 8) % 4 > 0 ? 0x0102 : next() >>> 16, at + 8)
    bytes[at + 15] = (next() >>> 8) % 5 > 0 ? 0 : next() >>> 24
  }
  return bytes
}

function tarEntry(name: string, body: Buffer, type = '0'): Buffer {
  const header = Buffer.alloc(512)
  header.write(name, 0, 100, 'latin1')
  header.write(type === '5' ? '0000755\0' : '0000644\0', 100)
  header.write('0000000\0' + '0000000\0', 108)
  header.write(`${body.length.toString(8).padStart(11, '0')}\0`, 124)
  header.write(`${(1_700_000_000).toString(8).padStart(11, '0')}\0`, 136)
  header.write(`        ${type}`, 148)
  header.write('ustar\0' + '00', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return Buffer.concat([header, body, Buffer.alloc((512 - (body.length % 512)) % 512)])
}

function tar(): Buffer {
  const none = Buffer.alloc(0)
  return Buffer.concat([
    tarEntry('Files/', none, '5'),
    tarEntry('Files/a.txt', text(5000, 21)),
    tarEntry('Files/b.bin', binary(6000, 22)),
    tarEntry('Files/c.rnd', random(3000, 23)),
    tarEntry('Files/empty', none),
    tarEntry('Files/a-copy.txt', text(5000, 21)),
    Buffer.alloc(1024),
  ])
}

/** `period` bytes again and again, `noise` of them changed each time: matches lie at distance `period`. */
function repeated(base: Buffer, period: number, times: number, noise: number, seed: number): Buffer {
  const next = xorshift(seed)
  return Buffer.concat(
    Array.from({length: times}, () => {
      const bytes = Buffer.from(base.subarray(0, period))
      for (let left = noise; left > 0; left--) bytes[(next() >>> 4) % period] = 97 + ((next() >>> 8) % 26)
      return bytes
    }),
  )
}

/** The inputs that the vectors were made of. */
export const ENCODING_INPUTS: Readonly<Record<string, () => Buffer>> = {
  empty: () => Buffer.alloc(0),
  hello: () => Buffer.from('hello hello hello hello\n'),
  one: () => Buffer.from('a'),
  abc100: () => text(100, 3),
  zeros: () => Buffer.alloc(40000),
  random: () => random(20000, 5),
  text: () => text(40000, 7),
  binary: () => binary(32768, 9),
  tar,
  // Several blocks, moves of the window, matches beyond distance 32506, blocks that are kept stored.
  'L-mixed': () =>
    Buffer.concat([
      text(200000, 31),
      random(150000, 32),
      binary(300000, 33),
      Buffer.alloc(200000),
      text(150000, 34),
      random(70000, 35),
      tar(),
    ]),
  'L-far': () => repeated(text(32700, 42), 32650, 40, 600, 41),
  'L-period': () => repeated(random(32700, 44), 32700, 30, 0, 43),
  'L-3MiB': () =>
    Buffer.concat(
      Array.from({length: 13}, (_, index) =>
        index % 4 === 3
          ? random(242000, 50 + index)
          : index % 2 > 0
            ? binary(242000, 50 + index)
            : text(242000, 50 + index),
      ),
    ),
}

import {gunzipSync} from 'node:zlib'
import {readFileSync} from 'node:fs'
import fc from 'fast-check'
import {readBlockMap} from '../../../src/codecs/appx/block-map.js'
import {decodeManifest} from '../../../src/codecs/appx/manifest.js'
import {PackageReader} from '../../../src/codecs/appx/package-reader.js'
import {verifyParts} from '../../../src/codecs/appx/verify-container.js'
import {byteSourceOf} from '../../../src/codecs/backup-stream/byte-source.js'
import {scanBackupStreams} from '../../../src/codecs/backup-stream/scan-streams.js'
import {decodeCarrierFrame, encodeCarrierFrame} from '../../../src/codecs/carrier/carrier-frame.js'
import {decodeCarrier} from '../../../src/codecs/carrier/decode-carrier.js'
import {decompress} from '../../../src/codecs/compression/decompress.js'
import {
  decodeExtendedAttributes,
  encodeExtendedAttributes,
} from '../../../src/codecs/extended-attributes/extended-attributes.js'
import {GzipMatch} from '../../../src/codecs/gzip-encoding/match-gzip.js'
import {rebuildGzip} from '../../../src/codecs/gzip-encoding/rebuild-gzip.js'
import {decodeArchiveFrame, encodeArchiveFrame} from '../../../src/codecs/layer-tar/archive-frame.js'
import {decodeLayerTar} from '../../../src/codecs/layer-tar/decode-layer-tar.js'
import {encodeLayerTar} from '../../../src/codecs/layer-tar/encode-layer-tar.js'
import {decodeReparsePoint} from '../../../src/codecs/reparse-point/decode-reparse-point.js'
import {encodeReparsePoint, findExactLink, findLink} from '../../../src/codecs/reparse-point/encode-reparse-point.js'
import {findSddl, formatSddl} from '../../../src/codecs/security-descriptor/format-sddl.js'
import {requireDescriptor} from '../../../src/codecs/security-descriptor/require-descriptor.js'
import {findPaxNumber, findPaxRecords, findPaxTime} from '../../../src/codecs/tar/pax.js'
import {indexTar} from '../../../src/codecs/tar/index-tar.js'
import {readTar} from '../../../src/codecs/tar/tar-reader.js'
import {decodeTombstones, encodeTombstones} from '../../../src/codecs/tombstones/tombstones.js'
import {readZipDirectory} from '../../../src/codecs/zip/read-directory.js'
import {requireLocal} from '../../../src/codecs/zip/require-local.js'
import {TransshipError} from '../../../src/model/errors.js'
import type {Compression} from '../../../src/model/image.js'
import {chunked, collect} from '../../helpers/bytes.js'
import {hybridMembers, partsOf, tarOf} from '../../helpers/archives.js'
import {layerOf} from '../../helpers/refusals.js'
import {longMember, paxMember, paxText, RAW_END, rawMember, SPARSE_FORMS, sparseMember} from '../../helpers/raw-tar.js'
import {oddCarrier} from '../../helpers/odd-carriers.js'
import {oddTar} from '../../helpers/odd-tars.js'
import {anyDescriptor} from '../../helpers/security-descriptors.js'
import {VECTORS, vectorTar} from '../../helpers/vectors.js'
import {compressedBy} from '../../helpers/windows-images.js'
import {blockMapOf, mappedFile, zipOf, type ZipMember} from '../../helpers/zip-writer.js'
import {mutateBytes, type MutateOptions} from './mutate-bytes.js'
import {mutateTar} from './mutate-tar.js'
import {mutateXml} from './mutate-xml.js'
import {drain, require, type Parser} from './parser.js'
import type {Random} from './random.js'

/** The same examples in every process. */
export function examples<T>(arbitrary: fc.Arbitrary<T>, count = 40): T[] {
  return fc.sample(arbitrary, {numRuns: count, seed: 20_261_126})
}

/** The error that it throws on purpose; any other passes. */
export async function refusalOf(work: () => unknown): Promise<TransshipError | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    if (error instanceof TransshipError && error.exitCode !== 70) return error
    throw error
  }
}

function fromCorpus(corpus: readonly Buffer[], options: Omit<MutateOptions, 'corpus'> = {}) {
  return (random: Random): Buffer => mutateBytes(random, random.pick(corpus), {...options, corpus})
}

/** Layer tars of Microsoft's own code, and of every dialect. */
export async function layerCorpus(): Promise<Buffer[]> {
  const hand = [
    await layerOf([
      ['Files/', ''],
      ['Files/a.txt', 'text'],
      ['Files/b', {hardLink: 'Files/a.txt'}],
      ['Files/c', {symlink: 'C:\\Windows'}],
      ['Files/d/', ''],
      ['Files/d/.wh.e', ''],
    ]),
    Buffer.concat([
      rawMember({name: 'Files', type: '5'}),
      ...SPARSE_FORMS.map((form, at) =>
        sparseMember(form, {name: `Files/s${at}`, size: 70_000, ranges: [[512, Buffer.from('abc')]]}),
      ),
      longMember('L', `Files/${'long/'.repeat(30)}x`),
      rawMember({name: 'x', format: 'gnu'}, 'body'),
      paxMember([['comment', 'all']], 'g'),
      paxMember([
        ['path', 'Files/ü'],
        ['mtime', '1.5'],
        ['MSWINDOWS.fileattr', '32'],
      ]),
      rawMember({name: 'y'}, 'body'),
      RAW_END,
    ]),
  ]
  const small = VECTORS.map(vectorTar).filter((tar) => tar.byteLength < 200_000)
  return [...hand, ...small, ...examples(oddTar, 30).filter((tar) => tar.byteLength < 100_000)]
}

const randomAccess = (bytes: Buffer) => ({
  size: bytes.byteLength,
  read: (offset: number, length: number) => Promise.resolve(bytes.subarray(offset, offset + length)),
})

const tar: Parser = {
  name: 'tar',
  reads: 'tars, streamed and by their headers',
  async prepare() {
    const corpus = await layerCorpus()
    return {
      make: (random) => mutateTar(random, random.pick(corpus), corpus),
      async run(input) {
        const streamed: string[] = []
        const refused = await refusalOf(async () => {
          for await (const item of readTar(chunked(input, 700), {title: 'it'})) {
            if (item.kind !== 'member') continue
            streamed.push(item.name)
            const size = await drain(item.content.open())
            require(size === item.content.size || size > 64 * 2 ** 20, `${size} bytes came of ${item.content.size}`)
          }
        })
        const whole: string[] = []
        const refusedWhole = await refusalOf(async () => {
          for await (const item of readTar(chunked(input), {title: 'it'}))
            if (item.kind === 'member') whole.push(item.name)
        })
        require(refused !== undefined || refusedWhole === undefined, 'reading contents hides a fault')
        if (refused === undefined)
          require(streamed.join('\n') === whole.join('\n'), 'chunks decide which members there are')
        const indexRefused = await refusalOf(() => indexTar(randomAccess(input), {title: 'it'}))
        const first = refused ?? refusedWhole ?? indexRefused
        if (first !== undefined) throw first
      },
    }
  },
}

const pax: Parser = {
  name: 'pax',
  reads: 'PAX records',
  prepare() {
    const corpus = [
      paxText([
        ['path', 'Files/a'],
        ['mtime', '1.5'],
        ['MSWINDOWS.rawsd', 'AQAEgA=='],
      ]),
      paxText([
        ['GNU.sparse.map', '0,1,5,1'],
        ['GNU.sparse.numblocks', '2'],
        ['size', '12'],
      ]),
      paxText([
        ['comment', 'x'.repeat(95)],
        ['a', ''],
        ['b=c', 'd=e\n'],
      ]),
    ]
    return {
      make: fromCorpus(corpus, {words: ['\n', ' ', '=', '11 path=ab\n', '6 a=b\n', '-1 ', '99999999999999999999 ']}),
      run(input) {
        const records = findPaxRecords(input)
        if (records === undefined) return
        for (const [, value] of records) {
          const text = Buffer.from(value).toString('latin1')
          findPaxTime(text)
          const number = findPaxNumber(text)
          require(number === undefined || (Number.isSafeInteger(number) && number >= 0), 'a PAX number is none')
        }
      },
    }
  },
}

const layerTar: Parser = {
  name: 'layer-tar',
  reads: 'Windows layer tars, written again byte for byte',
  async prepare() {
    const corpus = await layerCorpus()
    return {
      make: (random) => mutateTar(random, random.pick(corpus), corpus),
      async run(input) {
        const options = {title: 'layer', maxUnpackedBytes: 32 * 2 ** 20}
        const entries = decodeLayerTar(chunked(input), {...options, keepFrames: true})
        const again = await collect(encodeLayerTar(entries, {keepFrames: true}))
        require(again.equals(input), 'the layer comes back with other bytes')
      },
    }
  },
}

const carrierCorpus = () => examples(oddCarrier, 60)

const carrier: Parser = {
  name: 'carrier',
  reads: 'Win32 backup streams of files and folders',
  prepare: () => ({
    make: fromCorpus(carrierCorpus()),
    async run(input) {
      const refusals = [
        await refusalOf(() => scanBackupStreams(byteSourceOf(input), 4)),
        await refusalOf(() => decodeCarrier(input, 'file')),
        await refusalOf(() => decodeCarrier(input, 'directory')),
      ]
      if (refusals[1] !== undefined) throw refusals[1]
      const decoded = decodeCarrier(input, 'file')
      for (const {extents, sizeBytes} of [
        ...(decoded.data === undefined ? [] : [decoded.data]),
        ...decoded.streams.map(({location}) => location),
      ])
        for (const {offset, length, position} of extents)
          require(position + length <= input.byteLength &&
            offset + length <= sizeBytes &&
            length >= 0, 'an extent reaches beyond the file')
    },
  }),
}

const frames: Parser = {
  name: 'frames',
  reads: 'frames of archives and carriers in recipes',
  prepare() {
    const corpus = [
      Buffer.from(encodeArchiveFrame({kind: 'raw', place: 'padding', bytes: Buffer.from('abc')})),
      Buffer.from(
        encodeArchiveFrame({
          kind: 'member',
          header: Buffer.alloc(512, 1),
          body: {kind: 'inline', bytes: Buffer.from('x')},
        }),
      ),
      ...carrierCorpus().flatMap((bytes) => {
        try {
          const {frame} = decodeCarrier(bytes, 'file')
          return frame === undefined ? [] : [Buffer.from(frame)]
        } catch {
          return []
        }
      }),
    ]
    return {
      make: fromCorpus(corpus),
      async run(input) {
        await refusalOf(() => encodeArchiveFrame(decodeArchiveFrame(input)))
        encodeCarrierFrame(decodeCarrierFrame(input))
      },
    }
  },
}

const reparse: Parser = {
  name: 'reparse',
  reads: 'reparse points',
  prepare() {
    const targets = ['C:\\x', '..\\y', '\\\\?\\Volume{1}\\', '\\??\\C:\\z', '', 'ü', '\\\\server\\share', '/unix']
    const corpus = targets.flatMap((target) =>
      (['symlink', 'junction'] as const).map((kind) => Buffer.from(encodeReparsePoint({kind, target}))),
    )
    return {
      make: fromCorpus(corpus),
      run(input) {
        const exact = findExactLink(input)
        if (exact !== undefined)
          require(input.equals(Buffer.from(encodeReparsePoint(exact))), 'an exact link comes back with other bytes')
        findLink(input)
        decodeReparsePoint(input)
      },
    }
  },
}

const attributes: Parser = {
  name: 'extended-attributes',
  reads: 'lists of extended attributes',
  prepare() {
    const corpus = [
      encodeExtendedAttributes([{name: 'A', flags: 0, value: Buffer.from('x')}]),
      encodeExtendedAttributes([
        {name: '$LXMOD', flags: 0x80, value: Buffer.from('1234')},
        {name: 'B', flags: 0, value: Buffer.alloc(300)},
        {name: 'C', flags: 0, value: Buffer.alloc(0)},
      ]),
    ].map((bytes) => Buffer.from(bytes))
    return {
      make: fromCorpus(corpus),
      run(input) {
        const list = decodeExtendedAttributes(input)
        const again = decodeExtendedAttributes(encodeExtendedAttributes(list))
        require(JSON.stringify(again) === JSON.stringify(list), 'attributes come back otherwise')
      },
    }
  },
}

const descriptor: Parser = {
  name: 'security-descriptor',
  reads: 'security descriptors',
  prepare: () => ({
    make: fromCorpus(examples(anyDescriptor, 80).map((bytes) => Buffer.from(bytes))),
    async run(input) {
      findSddl(input)
      const refused = await refusalOf(() => {
        requireDescriptor(input)
      })
      if (refused !== undefined) throw refused
      formatSddl(input)
    },
  }),
}

const tombstones: Parser = {
  name: 'tombstones',
  reads: 'lists of deletions',
  prepare: () => ({
    make: fromCorpus([Buffer.from('\ufeffVersion 1.0\n\\a\\b.txt\n\\ü\n'), Buffer.from('\ufeffVersion 1.0\r\n\\x')], {
      words: ['\\..\\x', '\n', '\r', '\\NUL', '\\', '\0', '\ufeff', '\\a:b', '\\.', 'C:\\x', '\\\\?\\'],
    }),
    run(input) {
      const paths = decodeTombstones(input)
      const again = decodeTombstones(encodeTombstones(paths))
      require(JSON.stringify(again) === JSON.stringify(paths), 'deletions come back otherwise')
    },
  }),
}

const MANIFEST = `<?xml version="1.0" encoding="utf-8"?><Package xmlns="http://schemas.microsoft.com/appx/manifest/foundation/windows10" xmlns:ts="urn:transship:package:1"><Identity Name="Some" Publisher="CN=Any" Version="1.2.3.4" ProcessorArchitecture="x64"/><Properties><DisplayName>A &amp; B</DisplayName></Properties><Dependencies><PackageDependency Name="B" Publisher="CN=Any" MinVersion="1.0.0.0"/></Dependencies></Package>`

function zipCorpus(): {zips: Buffer[]; blockMap: string} {
  const parts: ZipMember[] = [
    {name: 'Files/a.txt', bytes: Buffer.from('text'), isDeflated: true, descriptor: 'signed'},
    {name: 'Files/b', bytes: Buffer.alloc(70_000, 7), isDeflated: true},
    {name: 'AppxManifest.xml', bytes: Buffer.from(MANIFEST)},
  ]
  const map = blockMapOf(parts.map((part) => mappedFile(part)))
  const whole = [
    ...parts,
    {name: 'AppxBlockMap.xml', bytes: Buffer.from(map), isDeflated: true},
    {name: '[Content_Types].xml', bytes: Buffer.from('<Types/>')},
  ]
  return {
    zips: [
      zipOf(whole),
      zipOf(whole.map((part) => ({...part, isZip64: true}))),
      zipOf([{name: 'x', bytes: Buffer.from('y'), localExtra: Buffer.of(1, 2, 0, 0), descriptor: 'wide'}]),
    ],
    blockMap: map,
  }
}

const zip: Parser = {
  name: 'zip',
  reads: 'zip directories and the parts of packages',
  prepare: () => ({
    make: fromCorpus(zipCorpus().zips, {words: ['PK\u0001\u0002', 'PK\u0003\u0004', 'PK\u0005\u0006', '../x']}),
    async run(input) {
      const source = byteSourceOf(input)
      const refused = await refusalOf(() => {
        for (const entry of readZipDirectory(source, 'it').entries()) requireLocal(source, entry, 'it')
      })
      if (refused !== undefined) throw refused
      const reader = await PackageReader.open(source, 'it')
      await verifyParts(reader, source, {title: 'it', report: () => undefined})
    },
  }),
}

const blockMap: Parser = {
  name: 'block-map',
  reads: 'block maps of packages',
  prepare() {
    const original = Buffer.from(zipCorpus().blockMap)
    return {
      make: (random) => mutateXml(random, original),
      async run(input) {
        await readBlockMap([input], 'it', () => undefined)
      },
    }
  },
}

const appxManifest: Parser = {
  name: 'appx-manifest',
  reads: 'manifests of packages',
  prepare: () => ({
    make: (random) => mutateXml(random, Buffer.from(MANIFEST)),
    run(input) {
      decodeManifest(input, 'it')
    },
  }),
}

const COMPRESSORS = [
  ['gzip', 'gzip'],
  ['bzip2', 'bzip2'],
  ['xz', 'xz'],
  ['zstd', 'zstd'],
] as const

/** Streams as the tools write them; where a tool is missing, those of the others. */
function compressedCorpus(): {form: Compression; bytes: Buffer}[] {
  const texts = [Buffer.from('short'), vectorTar('basic'), Buffer.alloc(200_000, 'many ')]
  return COMPRESSORS.flatMap(([form, tool]) =>
    texts.flatMap((text) => {
      try {
        return [{form, bytes: compressedBy(tool, text)}]
      } catch {
        return []
      }
    }),
  )
}

const compressed: Parser = {
  name: 'compressed',
  reads: 'gzip, bzip2, xz and zstd streams',
  prepare() {
    const corpus = compressedCorpus()
    const forms = [...new Set(corpus.map(({form}) => form))]
    return {
      make(random) {
        const {form, bytes} = random.pick(corpus)
        const others = corpus.filter((each) => each.form === form).map((each) => each.bytes)
        return Buffer.concat([Buffer.of(forms.indexOf(form)), mutateBytes(random, bytes, {corpus: others})])
      },
      async run(input) {
        const form = forms[input[0] ?? 0] ?? 'gzip'
        const options = {title: 'it', maxUnpackedBytes: 8 * 2 ** 20, maxRatio: 1000}
        const whole = await collect(decompress(chunked(input.subarray(1)), form, options))
        // In small pieces the same comes out: the end of one read is no end.
        if (input.byteLength < 5000) {
          const pieces = await collect(decompress(chunked(input.subarray(1), 7), form, options))
          require(pieces.equals(whole), 'the size of reads decides what is unpacked')
        }
        if (form === 'gzip') await matchedAgain(input.subarray(1), whole)
      },
    }
  },
}

/** What an encoder is found for is made again, byte for byte. */
async function matchedAgain(stream: Buffer, text: Buffer): Promise<void> {
  const match = new GzipMatch()
  match.addStream(stream)
  match.addText(text)
  const recipe = match.finish()
  if (recipe === undefined) return
  const made = await collect(rebuildGzip(chunked(text), recipe))
  require(made.equals(stream), 'a compressed form is not what was said to be reproducible')
}

const outerArchive: Parser = {
  name: 'archive-index',
  reads: 'archives of images by their headers',
  async prepare() {
    const layer = gunzipSync(readFileSync('test/vectors/basic/layer.tar.gz'))
    const archives = [await tarOf(hybridMembers(partsOf([layer]))), readFileSync('samples/shop.tar')]
    return {
      make: (random) => mutateTar(random, random.pick(archives), archives),
      async run(input) {
        const found = await indexTar(randomAccess(input), {title: 'it'})
        for (const {offset, size} of found)
          require(offset >= 0 && offset + size <= input.byteLength, 'a member reaches beyond the archive')
      },
    }
  },
}

export const CODEC_PARSERS: readonly Parser[] = [
  tar,
  pax,
  layerTar,
  outerArchive,
  carrier,
  frames,
  reparse,
  attributes,
  descriptor,
  tombstones,
  zip,
  blockMap,
  appxManifest,
  compressed,
]

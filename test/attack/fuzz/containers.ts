import {readBlockMap} from '../../../src/codecs/appx/block-map.js'
import {decodeManifest} from '../../../src/codecs/appx/manifest.js'
import {PackageReader} from '../../../src/codecs/appx/package-reader.js'
import {verifyParts} from '../../../src/codecs/appx/verify-container.js'
import {byteSourceOf} from '../../../src/codecs/backup-stream/byte-source.js'
import {decompress} from '../../../src/codecs/compression/decompress.js'
import {GzipMatch} from '../../../src/codecs/gzip-encoding/match-gzip.js'
import {rebuildGzip} from '../../../src/codecs/gzip-encoding/rebuild-gzip.js'
import {readZipDirectory} from '../../../src/codecs/zip/read-directory.js'
import {requireLocal} from '../../../src/codecs/zip/require-local.js'
import type {Compression} from '../../../src/model/image.js'
import {chunked, collect} from '../../helpers/bytes.js'
import {vectorTar} from '../../helpers/vectors.js'
import {compressedBy} from '../../helpers/windows-images.js'
import {blockMapOf, mappedFile, zipOf, type ZipMember} from '../../helpers/zip-writer.js'
import {refusalOf, fromCorpus} from './corpus.js'
import {mutateBytes} from './mutate-bytes.js'
import {mutateXml} from './mutate-xml.js'
import {require, type Parser} from './parser.js'

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

export const CONTAINER_PARSERS: readonly Parser[] = [zip, blockMap, appxManifest, compressed]

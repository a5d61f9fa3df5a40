import {readFileSync} from 'node:fs'
import {gunzipSync} from 'node:zlib'
import {decodeLayerTar} from '../../../src/codecs/layer-tar/decode-layer-tar.js'
import {encodeLayerTar} from '../../../src/codecs/layer-tar/encode-layer-tar.js'
import {indexTar} from '../../../src/codecs/tar/index-tar.js'
import {findPaxNumber, findPaxRecords, findPaxTime} from '../../../src/codecs/tar/pax.js'
import {readTar} from '../../../src/codecs/tar/tar-reader.js'
import {hybridMembers, partsOf, tarOf} from '../../helpers/archives.js'
import {chunked, collect} from '../../helpers/bytes.js'
import {paxText} from '../../helpers/raw-tar.js'
import {refusalOf, fromCorpus, layerCorpus, randomAccess} from './corpus.js'
import {mutateTar} from './mutate-tar.js'
import {drain, require, type Parser} from './parser.js'

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

export const TAR_PARSERS: readonly Parser[] = [tar, pax, layerTar, outerArchive]

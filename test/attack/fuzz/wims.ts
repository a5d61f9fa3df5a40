import {readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {parseDescription} from '../../../src/codecs/wim/description.js'
import {decodeHeader} from '../../../src/codecs/wim/header.js'
import {ImageTree} from '../../../src/codecs/wim/image-tree.js'
import {LzxDecoder} from '../../../src/codecs/wim/lzx.js'
import {XpressDecoder} from '../../../src/codecs/wim/xpress.js'
import {convert} from '../../../src/convert/convert.js'
import {verify} from '../../../src/convert/verify.js'
import {parseLayerPath} from '../../../src/model/layer-path.js'
import {editableWim, readRows, wimVector} from '../../helpers/wim-files.js'
import {refusalOf} from './corpus.js'
import {mutateBytes} from './mutate-bytes.js'
import {require, type Parser} from './parser.js'
import {Place} from './place.js'

const NAMES = ['handmade', 'unix-data', 'two-images', 'none', 'none-pipable', 'solid-xpress-small', 'xpress', 'lzx-new']

const wim: Parser = {
  name: 'wim',
  reads: 'Windows image files',
  prepare(scratch) {
    const corpus = NAMES.map((name) => readFileSync(wimVector(name)))
    const file = path.join(scratch, 'x.wim')
    return {
      make(random) {
        const original = random.pick(corpus)
        if (random.chance(0.4)) return mutateBytes(random, original, {corpus})
        // The head and the table of contents, where the sizes stand.
        const {blobTable} = decodeHeader(original.subarray(0, 208))
        const table = original.subarray(blobTable.offset, blobTable.offset + blobTable.size)
        const head = random.chance(0.4)
          ? mutateBytes(random, original.subarray(8, 208), {inPlace: true})
          : original.subarray(8, 208)
        const made = Buffer.from(original)
        head.copy(made, 8)
        if (random.chance(0.8)) mutateBytes(random, table, {inPlace: true}).copy(made, blobTable.offset)
        return made
      },
      async run(input) {
        writeFileSync(file, input)
        const refused = await refusalOf(() => readRows(file))
        const verdict = await verify(`wim:${file}`)
        if (verdict.ok) require(refused === undefined, `it is sound, and reading it ends in ${refused?.message ?? ''}`)
        if (refused !== undefined) throw refused
      },
    }
  },
}

/** The metadata of an image in a file that is not compressed, with the SHA-1 of what they are now. */
const metadata: Parser = {
  name: 'wim-metadata',
  reads: 'the tree of a Windows image, behind right hashes',
  isEndToEnd: true,
  async prepare(scratch) {
    const place = new Place(scratch)
    const {tree, withTree} = await editableWim()
    return {
      make: (random) => mutateBytes(random, tree, {inPlace: true}),
      async run(input) {
        await refusalOf(() => {
          const image = new ImageTree(input)
          for (const {entry} of image.walk(parseLayerPath('Files'), {onFault: () => undefined}))
            image.descriptorOf(entry)
        })
        const {reference} = place.begin('wim', {'x.wim': withTree(input)}, 'x.wim')
        await place.judged(async () => {
          const verdict = await verify(reference)
          const report = await refusalOf(() => convert(reference, `layout:${place.out}/layout`))
          // What this disk or a layer cannot hold is no damage.
          const isDamaged = report?.exitCode === 3 && report.code !== 'FORMAT_UNSUPPORTED'
          if (verdict.ok) require(!isDamaged, `it is sound, and reading it ends in ${report?.message ?? ''}`)
          if (report !== undefined) throw report
          const {faults} = await verify(`layout:${place.out}/layout`)
          require(faults.length === 0, `what was made of it is not sound: ${faults[0]?.message ?? ''}`)
        })
      },
    }
  },
}

const chunks: Parser = {
  name: 'wim-chunks',
  reads: 'XPRESS and LZX chunks',
  prepare() {
    const lzx = new LzxDecoder(32768)
    const xpress = new XpressDecoder()
    const whole = readFileSync(wimVector('lzx-new'))
    // /calls.bin, and pieces of the file that hold other chunks.
    const corpus = [
      whole.subarray(68341, 68341 + 120),
      whole.subarray(208, 3000),
      readFileSync(wimVector('xpress')).subarray(208, 3000),
    ]
    const output = new Uint8Array(13540)
    return {
      make: (random) =>
        random.chance(0.2) ? random.bytes(random.int(700)) : mutateBytes(random, random.pick(corpus), {corpus}),
      async run(input) {
        const refused = await refusalOf(() => {
          lzx.decode(input, output)
        })
        await refusalOf(() => {
          xpress.decode(input, output)
        })
        if (refused !== undefined) throw refused
      },
    }
  },
}

const xml: Parser = {
  name: 'wim-xml',
  reads: 'descriptions of Windows images',
  prepare() {
    const file = readFileSync(wimVector('two-images'))
    const {offset, size} = decodeHeader(file.subarray(0, 208)).xml
    const original = file.subarray(offset, offset + size)
    return {
      make: (random) => mutateBytes(random, original, {words: ['<\0', '>\0', '&\0', '/\0', '"\0', '\ud800']}),
      run: (input) => void parseDescription(input),
    }
  },
}

export const WIM_PARSERS: readonly Parser[] = [wim, metadata, chunks, xml]

import {byteSourceOf} from '../../../src/codecs/backup-stream/byte-source.js'
import {scanBackupStreams} from '../../../src/codecs/backup-stream/scan-streams.js'
import {decodeCarrierFrame, encodeCarrierFrame} from '../../../src/codecs/carrier/carrier-frame.js'
import {decodeCarrier} from '../../../src/codecs/carrier/decode-carrier.js'
import {
  decodeExtendedAttributes,
  encodeExtendedAttributes,
} from '../../../src/codecs/extended-attributes/extended-attributes.js'
import {decodeArchiveFrame, encodeArchiveFrame} from '../../../src/codecs/layer-tar/archive-frame.js'
import {decodeReparsePoint} from '../../../src/codecs/reparse-point/decode-reparse-point.js'
import {encodeReparsePoint, findExactLink, findLink} from '../../../src/codecs/reparse-point/encode-reparse-point.js'
import {findSddl, formatSddl} from '../../../src/codecs/security-descriptor/format-sddl.js'
import {requireDescriptor} from '../../../src/codecs/security-descriptor/require-descriptor.js'
import {decodeTombstones, encodeTombstones} from '../../../src/codecs/tombstones/tombstones.js'
import {oddCarrier} from '../../helpers/odd-carriers.js'
import {anyDescriptor} from '../../helpers/security-descriptors.js'
import {examples, refusalOf, fromCorpus} from './corpus.js'
import {require, type Parser} from './parser.js'

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

export const STREAM_PARSERS: readonly Parser[] = [carrier, frames, reparse, attributes, descriptor, tombstones]

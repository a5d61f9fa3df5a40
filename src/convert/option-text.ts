import {UsageError} from '../model/errors.js'
import type {ConvertOptions} from './options.js'

const COMPRESSIONS = ['none', 'gzip', 'zstd'] as const
/** Levels that the compressors take, lowest and highest. */
const LEVELS = {gzip: [1, 9], zstd: [1, 22]} as const

export type CompressionChoice = Required<Pick<ConvertOptions, 'compression'>> & Pick<ConvertOptions, 'compressionLevel'>

/** `none`, `gzip`, `zstd`, the last two with `:LEVEL`. Throws `BAD_OPTION`. */
export function parseCompression(text: string): CompressionChoice {
  const [name = '', level, ...rest] = text.split(':')
  const compression = COMPRESSIONS.find((candidate) => candidate === name)
  if (compression === undefined || rest.length > 0) throw wrong(text, 'none, gzip[:LEVEL] or zstd[:LEVEL]')
  if (level === undefined) return {compression}
  if (compression === 'none') throw wrong(text, 'none without a level')
  const [lowest, highest] = LEVELS[compression]
  const compressionLevel = /^\d{1,2}$/.test(level) ? Number(level) : NaN
  if (!(compressionLevel >= lowest && compressionLevel <= highest)) {
    throw wrong(text, `a level from ${lowest} to ${highest} for ${compression}`)
  }
  return {compression, compressionLevel}
}

export type LayersChoice = Required<Pick<ConvertOptions, 'layers'>> & Pick<ConvertOptions, 'squashRange'>

/** `chain`, `squash`, or `squash:FROM..TO`. Throws `BAD_OPTION`. */
export function parseLayers(text: string): LayersChoice {
  if (text === 'chain' || text === 'squash') return {layers: text}
  const [, from, to] = /^squash:(\d{1,3})\.\.(\d{1,3})$/.exec(text) ?? []
  const squashRange = {from: Number(from), to: Number(to)}
  if (!(squashRange.from <= squashRange.to)) throw wrong(text, 'squash, chain or squash:FROM..TO')
  return {layers: 'squash', squashRange}
}

/** `auto` or a number of layers. Throws `BAD_OPTION`. */
export function parseOsLayers(text: string): number | 'auto' {
  if (text === 'auto') return 'auto'
  if (!/^\d{1,3}$/.test(text)) throw wrong(text, 'auto or a number of layers')
  return Number(text)
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
}

/** A size in bytes: `1048576`, `64GiB` or `64G` (units of 1024), `64GB` (units of 1000). Throws `BAD_OPTION`. */
export function parseSize(text: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,16}(?:\.\d{1,6})?) ?((?:[KMGT](?:iB|B)?)?|B)$/i.exec(text) ?? []
  const factor = UNITS[unit.toUpperCase().replace('IB', '').replace(/^B$/, '')]
  const bytes = digits === '' || factor === undefined ? Number.NaN : Math.floor(Number(digits) * factor)
  if (!Number.isSafeInteger(bytes)) throw wrong(text, 'a size, such as 64GiB')
  return bytes
}

function wrong(text: string, expected: string): UsageError {
  return new UsageError('BAD_OPTION', {what: `Expected ${expected}, found '${text}'.`})
}

import {crc32} from 'node:zlib'
import {findEncoder} from '../../src/codecs/gzip-encoding/gzip-encoder.js'
import {trailerOf} from '../../src/codecs/gzip-encoding/match-gzip.js'

/** An encoder of each family, and the ten bytes of a header as that family writes them. */
export const GZIP_HEADERS: Readonly<Record<string, string>> = {
  'go-1.8:6': '1f8b08000000000000ff',
  'go-1.8:1': '1f8b08000000000004ff',
  'go-1.8:9': '1f8b08000000000002ff',
  'go-1.8:0': '1f8b08000000000000ff',
  'go-1.8:-2': '1f8b08000000000000ff',
  'zlib:6': '1f8b0800000000000003',
  'zlib:3': '1f8b08000000000000ff',
  'gzip:6': '1f8b0800d0c584630003',
  'gzip:1': '1f8b0800000000000403',
  'pigz:9': '1f8b0800000000000203',
  'pgzip-1.15.10:1048576': '1f8b080000096e8800ff',
  'pgzip-1.15.10:262144': '1f8b080000096e8800ff',
}

/** The text as that encoder stores it. */
export function gzipBy(name: string, text: Uint8Array): Buffer {
  const body: Uint8Array[] = []
  const encoder = findEncoder(name, (bytes) => body.push(bytes))!
  encoder.write(text)
  encoder.finish()
  return Buffer.concat([Buffer.from(GZIP_HEADERS[name]!, 'hex'), ...body, trailerOf(crc32(text), text.length)])
}

import {readFileSync} from 'node:fs'
import {findEncoder} from '../../src/codecs/gzip-encoding/gzip-encoder.js'

/* Gives a file to an encoder, in pieces as a conversion does, and drops what comes: what `encoders.ts` measures. */

const PIECE_BYTES = 2 ** 18
const [name = '', file = ''] = process.argv.slice(2)
const text = readFileSync(file)
const encoder = findEncoder(name, () => undefined)
if (encoder === undefined) throw new Error(`no encoder ${name}`)
for (let offset = 0; offset < text.length; offset += PIECE_BYTES)
  encoder.write(text.subarray(offset, offset + PIECE_BYTES))
encoder.finish()

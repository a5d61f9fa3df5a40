import {createHash} from 'node:crypto'
import type {FileHandle} from 'node:fs/promises'
import {compileSchema} from '../codecs/json/validator.js'
import type {JournalRecord} from './journal-record.js'

/** Far above the report of any conversion: a longer line is no record. */
const MAX_LINE_BYTES = 64 * 2 ** 20

const TEXT = {type: 'string'}
const OBJECTS = {type: 'array', items: {type: 'object'}}

/** What is asked of a record; others of its keys may be missing, as in journals of earlier versions. */
const isRecord = compileSchema<JournalRecord>({
  type: 'object',
  required: ['kind', 'key', 'id'],
  properties: {key: TEXT, id: TEXT},
  oneOf: [
    {
      required: ['destination'],
      properties: {kind: {const: 'begun'}, destination: TEXT, isFree: {type: 'boolean'}},
    },
    {
      required: ['result'],
      properties: {
        kind: {const: 'done'},
        result: {
          type: 'object',
          required: ['source', 'destination', 'artifacts', 'losses', 'notes', 'exact', 'inexact'],
          properties: {
            source: TEXT,
            destination: TEXT,
            artifacts: {
              type: 'array',
              items: {
                type: 'object',
                required: ['kind', 'reference'],
                properties: {kind: {enum: ['image', 'package', 'index']}, reference: TEXT},
              },
            },
            losses: OBJECTS,
            notes: OBJECTS,
            exact: {type: 'boolean'},
            inexact: OBJECTS,
          },
        },
      },
    },
    {
      properties: {kind: {const: 'failed'}, isLeft: {type: 'boolean'}},
    },
  ],
})

/** First hex digits of the SHA-256 of a record's JSON, in its line: enough to tell a torn line, which is no attack. */
function checkOf(json: string): string {
  return createHash('sha256').update(json).digest('hex').slice(0, 16)
}

/** One line: the record with `check` as its last key. */
export function formatLine(record: JournalRecord): string {
  // Of the characters that end a line for some readers, JSON leaves these two as they are.
  const json = JSON.stringify(record).replaceAll(/[\u2028\u2029]/g, (character) =>
    character === '\u2028' ? '\\u2028' : '\\u2029',
  )
  return `${json.slice(0, -1)},"check":"${checkOf(json)}"}\n`
}

const LINE = /^(\{.*),"check":"([0-9a-f]{16})"\}\r?$/s

/** Undefined for a line that was not written whole, or holds no record. */
function parseLine(line: string): JournalRecord | undefined {
  const [, json, check] = LINE.exec(line) ?? []
  if (json === undefined || checkOf(`${json}}`) !== check) return undefined
  try {
    const value: unknown = JSON.parse(`${json}}`)
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** The records of a journal from its beginning; what is none is passed over. */
export async function* readRecords(handle: FileHandle): AsyncGenerator<JournalRecord> {
  for await (const line of boundedLines(handle.createReadStream())) {
    const record = parseLine(line.toString('utf8'))
    if (record !== undefined) yield record
  }
}

/** Lines without their ends; one that is too long is left out, and never in memory. */
async function* boundedLines(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = []
  let bytes = 0
  const add = (part: Buffer) => {
    bytes += part.byteLength
    if (bytes <= MAX_LINE_BYTES) parts.push(part)
    else parts = []
  }
  const isWhole = () => bytes > 0 && bytes <= MAX_LINE_BYTES
  for await (const chunk of body) {
    let from = 0
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, from)) {
      add(chunk.subarray(from, end))
      if (isWhole()) yield Buffer.concat(parts)
      parts = []
      bytes = 0
      from = end + 1
    }
    add(chunk.subarray(from))
  }
  if (isWhole()) yield Buffer.concat(parts)
}

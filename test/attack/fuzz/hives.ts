import {readFileSync} from 'node:fs'
import {diff} from '../../../src/codecs/registry-hive/diff-hives.js'
import {walkKeys} from '../../../src/codecs/registry-hive/hive-key.js'
import {compose, flatten} from '../../../src/codecs/registry-hive/layered-keys.js'
import {openHive} from '../../../src/codecs/registry-hive/open-hive.js'
import {regLines} from '../../../src/codecs/registry-hive/reg-text.js'
import {
  deltaOf,
  deltaTree,
  describeTree,
  hiveOf,
  logEntry,
  logOf,
  oldLogOf,
  plainTree,
  sealed,
  sealLogEntry,
} from '../../helpers/hives.js'
import {examples, refusalOf} from './corpus.js'
import {mutateBytes} from './mutate-bytes.js'
import {require, type Parser} from './parser.js'
import type {Random} from './random.js'

const HEAD_BYTES = 4096

/** Most mutants leave the head alone or seal it again, so that what is behind it is reached. */
function mutateHive(random: Random, corpus: readonly Buffer[]): Buffer {
  const original = random.pick(corpus)
  if (random.isPlain) return Buffer.from(original)
  const others = corpus.map((bytes) => bytes.subarray(HEAD_BYTES))
  if (random.chance(0.1)) return mutateBytes(random, original)
  const bytes = mutateBytes(random, original, {
    from: HEAD_BYTES,
    inPlace: random.chance(0.9),
    corpus: others,
    words: ['nk', 'vk', 'sk', 'lf', 'lh', 'ri', 'li', 'db', 'hbin'],
  })
  const fields: Record<number, number> = {}
  if (random.chance(0.2))
    fields[random.pick([4, 8, 20, 24, 28, 32, 36, 40, 44, 144])] = random.pick([0, 1, 5, 6, 32, 4096, 0xffffffff])
  return bytes.byteLength < HEAD_BYTES ? bytes : sealed(bytes, fields)
}

/** Walks all of it, as files, hive and diff do. */
function walk(root: Parameters<typeof regLines>[0]): number {
  let bytes = 0
  for (const {key} of walkKeys(root, 'X')) {
    for (const {data} of key.values()) bytes += data.byteLength
    bytes++
  }
  for (const line of regLines(root, 'X')) bytes += line.length
  return bytes
}

const SAMPLES = ['DEFAULT', 'SAM', 'SOFTWARE', 'SYSTEM'].map((name) => `samples/payload/${name}.hiv`)

const hive: Parser = {
  name: 'hive',
  reads: 'base hives',
  prepare() {
    const made = examples(plainTree('ROOT', 2), 20).map((tree) => hiveOf(tree))
    const corpus = [...SAMPLES.map((file) => readFileSync(file)), ...made].filter((bytes) => bytes.byteLength < 200_000)
    return {
      make: (random) => mutateHive(random, corpus),
      run(input) {
        const opened = openHive(input, {subject: 'it'})
        walk(opened.root)
        // What is read is what is written again.
        const again = openHive(hiveOf(opened.root), {subject: 'again'})
        require(diff(opened.root, again.root) === undefined, 'a hive that is written again differs')
      },
    }
  },
}

const delta: Parser = {
  name: 'hive-delta',
  reads: 'delta hives, composed and flattened',
  prepare() {
    const deltas = examples(deltaTree('ROOT', 2), 25).map((tree) => deltaOf(tree))
    const base = openHive(hiveOf(examples(plainTree('ROOT', 2), 1)[0]!), {subject: 'base'}).root
    const lower = openHive(deltas[0]!, {subject: 'lower', isDelta: true}).root
    return {
      make: (random) => mutateHive(random, deltas),
      run(input) {
        const {root} = openHive(input, {subject: 'it', isDelta: true})
        walk(root)
        const [once, twice] = [flatten(base, compose(lower, root)), flatten(flatten(base, lower), root)]
        require(JSON.stringify(seen(once)) ===
          JSON.stringify(seen(twice)), 'composed deltas do other than both in turn')
        walk(openHive(deltaOf(root), {subject: 'again', isDelta: true}).root)
      },
    }
  },
}

/** A tree with its values in an order: composing does not keep theirs. */
function seen(root: Parameters<typeof describeTree>[0]): unknown {
  const sort = (node: unknown): unknown => {
    const {values, subkeys, ...rest} = node as {values: string[]; subkeys: unknown[]}
    return {...rest, lastWrite: undefined, values: [...values].sort(), subkeys: subkeys.map(sort)}
  }
  return JSON.parse(
    JSON.stringify(describeTree(root), (key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    (_key, value: unknown) => (typeof value === 'object' && value !== null && 'subkeys' in value ? sort(value) : value),
  )
}

const logs: Parser = {
  name: 'hive-logs',
  reads: 'transaction logs of hives, old and new',
  prepare() {
    const states = examples(plainTree('ROOT', 2), 6).map((tree) => hiveOf(tree))
    const dirty = sealed(states[0]!, {4: 7, 8: 6})
    const corpus = states.map((state, at) => logOf(state, 6 + (at % 3), [logEntry(state, 6 + (at % 3))]))
    corpus.push(oldLogOf(states[1]!, {4: 7, 8: 7, 28: 1}))
    return {
      make(random) {
        const bytes = mutateBytes(random, random.pick(corpus), {from: random.pick([0, 512]), words: ['HvLE', 'DIRT']})
        if (bytes.byteLength >= 512 && random.chance(0.8)) sealed(bytes.subarray(0, 512), {}).copy(bytes)
        // Behind right checksums.
        if (bytes.byteLength > 560 && random.chance(0.7)) {
          const size = bytes.readUInt32LE(516)
          if (size >= 48 && size <= bytes.byteLength - 512) sealLogEntry(bytes.subarray(512, 512 + size))
        }
        return bytes
      },
      async run(input) {
        const refused = await refusalOf(() => walk(openHive(dirty, {subject: 'it', logs: [input]}).root))
        await refusalOf(() => walk(openHive(dirty, {subject: 'it', logs: [input, corpus[0]!]}).root))
        if (refused !== undefined) throw refused
      },
    }
  },
}

export const HIVE_PARSERS: readonly Parser[] = [hive, delta, logs]

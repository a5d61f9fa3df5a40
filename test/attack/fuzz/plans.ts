import {createHash} from 'node:crypto'
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {Journal} from '../../../src/batch/journal.js'
import {parsePlan} from '../../../src/batch/parse-plan.js'
import {clientConfigText} from '../../../src/codecs/json/client-config.js'
import {parsePlatform} from '../../../src/formats/image-documents/platform-choice.js'
import {findDockerName} from '../../../src/formats/image-documents/image-name.js'
import {decodeDocument} from '../../../src/formats/package/metadata.js'
import {parseIndex, parseManifest, readConfig} from '../../../src/formats/image-documents/image-documents.js'
import {parseManifestItems, parseRepositories, parseV1Document} from '../../../src/formats/image-archive/schema.js'
import {TransshipError} from '../../../src/model/errors.js'
import {parseLayerPath} from '../../../src/model/layer-path.js'
import {parseReference, transportOf} from '../../../src/transports/catalog.js'
import {findCredentials, findInAuthFile} from '../../../src/transports/docker/credentials.js'
import {classicMembers, hybridMembers, partsOf} from '../../helpers/archives.js'
import {refusalOf} from './corpus.js'
import {mutateBytes} from './mutate-bytes.js'
import {BAD_NAMES, mutateJson, mutateJsonLines} from './mutate-json.js'
import {require, type Parser} from './parser.js'
import type {Random} from './random.js'

const PLAN_WORDS = [
  '&a ',
  '*a',
  '<<: *a',
  '!!binary ',
  '!!js/function ',
  '? ',
  '- ',
  ': ',
  '#',
  '|',
  '>',
  '%YAML 9.9\n',
  '---\n',
  '...\n',
  '\t',
  '{',
  '}',
  '[',
  ']',
  '${X}',
  '${',
  '{name}',
  '{',
  '"',
  "'",
  '\u0000',
  '\ufeff',
  '__proto__: ',
  'id: ',
  'after: ',
]

function mutateLines(random: Random, text: Buffer, words: readonly string[]): Buffer {
  if (random.isPlain) return Buffer.from(text)
  const lines = text.toString('utf8').split('\n')
  for (let count = random.few(); count > 0; count--) {
    const at = random.int(lines.length)
    const choice = random.int(5)
    if (choice === 0) lines.splice(at, 1)
    else if (choice === 1) lines.splice(random.int(lines.length), 0, lines[at] ?? '')
    else if (choice === 2) lines[at] = `${' '.repeat(random.int(8))}${(lines[at] ?? '').trimStart()}`
    else if (choice === 3) lines[at] = (lines[at] ?? '').replace(/:.*$/, `: ${random.pick([...BAD_NAMES, ...words])}`)
    else lines[at] = mutateBytes(random, Buffer.from(lines[at] ?? ''), {words}).toString('utf8')
  }
  return Buffer.from(lines.join('\n'))
}

const plan: Parser = {
  name: 'plan',
  reads: 'plans of batches',
  prepare() {
    const corpus = [
      readFileSync('samples/plan.yaml'),
      Buffer.from(
        JSON.stringify({
          version: 1,
          items: [
            {
              id: 'a',
              source: 'oci:x',
              destination: 'inbox:y',
              after: ['b'],
              options: {layers: 'chain', 'max-ratio': 3},
            },
            {id: 'b', source: 'inbox:z', destination: 'docker://h/{name}:{version}', include: '*', exclude: ['a*']},
          ],
        }),
      ),
    ]
    return {
      make(random) {
        const original = random.pick(corpus)
        return original === corpus[1] && random.chance(0.7)
          ? mutateJson(random, original)
          : mutateLines(random, original, PLAN_WORDS)
      },
      run: (input) => void parsePlan(input.toString('utf8'), {name: 'plan.yaml', environment: {X: 'y'}}),
    }
  },
}

function journalLine(record: object): string {
  const json = JSON.stringify(record)
  const check = createHash('sha256').update(json).digest('hex').slice(0, 16)
  return `${json.slice(0, -1)},"check":"${check}"}`
}

const journal: Parser = {
  name: 'journal',
  reads: 'journals of batches, behind right checks',
  prepare(scratch) {
    const records = [
      {kind: 'begun', key: 'k', id: 'a', destination: 'inbox:x', isFree: true},
      {
        kind: 'done',
        key: 'k',
        id: 'a',
        result: {
          source: 'a',
          destination: 'b',
          artifacts: [],
          losses: [],
          notes: [],
          exact: true,
          inexact: [],
          bytesRead: 1,
          bytesWritten: 1,
          seconds: 1,
        },
      },
      {
        kind: 'failed',
        key: 'k',
        id: 'a',
        failure: {code: 'NOT_FOUND', exitCode: 3, what: 'x', suggestions: []},
        isLeft: false,
      },
    ]
    const whole = Buffer.from(`${records.map(journalLine).join('\n')}\n`)
    let count = 0
    return {
      make(random) {
        if (random.chance(0.3)) return mutateJsonLines(random, whole)
        const lines = records.map((record) => {
          if (random.chance(0.4)) return journalLine(record)
          const changed = mutateJson(random, Buffer.from(JSON.stringify(record))).toString('utf8')
          try {
            const made = JSON.parse(changed) as unknown
            return typeof made === 'object' && made !== null ? journalLine(made) : changed
          } catch {
            return changed
          }
        })
        return Buffer.from(lines.join('\n'))
      },
      async run(input) {
        const file = path.join(scratch, `plan-${count++ % 8}.journal`)
        writeFileSync(file, input)
        const peeked = await Journal.peek(file)
        const opened = await Journal.open(file)
        const entries = JSON.stringify([...opened.entries])
        await opened.close()
        require(entries === JSON.stringify([...peeked]), 'a dry run sees another journal than the run')
        require(readFileSync(file).subarray(0, input.byteLength).equals(input), 'opening a journal changes it')
      },
    }
  },
}

/** Documents of JSON, each for itself: thousands a second, where the whole of an image takes a while. */
const documents: Parser = {
  name: 'documents',
  reads: 'manifests, indexes, configurations and metadata, each for itself',
  prepare() {
    const parts = partsOf([Buffer.alloc(1024)])
    const textOf = (members: ReturnType<typeof classicMembers>, name: string) =>
      members.find(([own]) => own === name)?.[1] as string
    const corpus: readonly (readonly [Buffer, (bytes: Buffer) => unknown])[] = [
      [Buffer.from(parts.config), (bytes) => readConfig(bytes, 'it')],
      [Buffer.from(textOf(hybridMembers(parts), 'index.json')), (bytes) => parseIndex(bytes, 'it')],
      [
        Buffer.from(
          JSON.stringify({
            schemaVersion: 2,
            config: {mediaType: 'a/b', digest: parts.imageId, size: 1},
            layers: [{mediaType: 'a/b', digest: parts.diffIds[0], size: 1, urls: ['https://x/y'], data: 'e30='}],
            subject: {digest: parts.imageId},
            annotations: {a: 'b'},
          }),
        ),
        (bytes) => parseManifest(bytes, 'it'),
      ],
      [Buffer.from(textOf(classicMembers(parts), 'manifest.json')), (bytes) => parseManifestItems(bytes)],
      [Buffer.from(JSON.stringify({app: {1: 'a'.repeat(64)}})), (bytes) => parseRepositories(bytes)],
      [
        Buffer.from(JSON.stringify({id: 'a'.repeat(64), parent: 'b'.repeat(64), config: {Cmd: ['x']}})),
        (bytes) => parseV1Document(bytes, 'it'),
      ],
      [
        readFileSync('samples/repository/CN=Contoso_Shop_1.2.0.0/metadata.json'),
        (bytes) => decodeDocument(bytes, 'CN=Contoso_Shop_1.2.0.0'),
      ],
    ]
    return {
      make(random) {
        const at = random.int(corpus.length)
        return Buffer.concat([Buffer.of(at), mutateJson(random, corpus[at]![0])])
      },
      run(input) {
        corpus[input[0] ?? 0]![1](input.subarray(1))
        require(!('polluted' in {}), 'a document changes what every object has')
      },
    }
  },
}

const clientFiles: Parser = {
  name: 'client-config',
  reads: "configurations and logins of Docker's clients",
  prepare(scratch) {
    const auth = Buffer.from('me:pass').toString('base64')
    const original = Buffer.from(
      JSON.stringify({
        auths: {
          'h:1': {auth},
          'https://index.docker.io/v1/': {identitytoken: 't'},
          'h/a/b': {username: 'u', password: 'p'},
        },
        currentContext: 'x',
      }),
    )
    const folder = path.join(scratch, 'docker')
    mkdirSync(folder)
    return {
      make: (random) => mutateJson(random, original),
      async run(input) {
        const file = path.join(folder, 'config.json')
        // A helper would be a program of this machine.
        const text = input.toString('utf8').replaceAll(/credHelpers|credsStore/g, 'none')
        writeFileSync(file, text)
        const refused = await refusalOf(() => findCredentials('h:1', folder))
        await refusalOf(() => findInAuthFile({host: 'h', repository: 'a/b'}, file))
        try {
          JSON.parse(clientConfigText(text))
        } catch (error) {
          require(error instanceof SyntaxError, String(error))
        }
        if (refused !== undefined) throw refused
      },
    }
  },
}

const REFERENCES = [
  'docker-archive:C:\\img.tar:app:1',
  'docker-archive:/img.tar:@1',
  'oci:dir:tag',
  `oci:dir@sha256:${'a'.repeat(64)}`,
  'docker://h:5000/a/b:1',
  `docker://a@sha256:${'a'.repeat(64)}`,
  'docker-daemon:app:1',
  'inbox:repo:CN=A_B_1.0.0.0',
  'appx:a.appx',
  'layout:dir',
  'containerd:k8s.io/app:1',
  'wim:a.wim:2',
  'runtime:x',
  '\\\\host\\share\\x',
]

const references: Parser = {
  name: 'references',
  reads: 'references, platforms, names of images and paths',
  prepare() {
    const corpus = REFERENCES.map((text) => Buffer.from(text))
    return {
      make: (random) =>
        mutateBytes(random, random.pick(corpus), {corpus, words: [...BAD_NAMES, ':', '@', '/', '[::1]', 'ü']}),
      async run(input) {
        const text = input.toString('utf8')
        findDockerName(text)
        await refusalOf(() => parsePlatform(text))
        await refusalOf(() => parseLayerPath(text))
        const reference = parseReference(text)
        const formatted = transportOf(reference).format(reference)
        let again
        try {
          again = parseReference(formatted)
        } catch (error) {
          require(!(
            error instanceof TransshipError
          ), `${JSON.stringify(text)} becomes ${JSON.stringify(formatted)}, which is none`)
          throw error
        }
        require(JSON.stringify(again) ===
          JSON.stringify(reference), `${JSON.stringify(text)} becomes ${JSON.stringify(formatted)}, which is another`)
      },
    }
  },
}

export const TEXT_PARSERS: readonly Parser[] = [documents, plan, journal, clientFiles, references]

import {spawnSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {mkdirSync, readFileSync, symlinkSync} from 'node:fs'
import path from 'node:path'
import type {Built, HostileInput} from './input.js'

const CHAIN = 'layerchain.json'
const CHAINS: readonly {
  name: string
  code: string
  exit?: number
  text?: string | Buffer
  finish?: (folder: string) => void
}[] = [
  {name: 'that is cut', code: 'METADATA_INVALID', text: '["C:\\\\Layers\\\\a"'},
  {name: 'of a relative path', code: 'METADATA_INVALID', text: '["..\\\\..\\\\Windows"]'},
  {name: 'of numbers', code: 'METADATA_INVALID', text: '[1, 2]'},
  {name: 'that is an object', code: 'METADATA_INVALID', text: '{"0":"C:\\\\a","length":1}'},
  {name: 'of an empty path', code: 'METADATA_INVALID', text: '[""]'},
  {name: 'of 1,001 layers', code: 'METADATA_INVALID', text: JSON.stringify(Array.from({length: 1001}, () => 'C:\\a'))},
  {name: 'of 33 MB', code: 'LIMIT_EXCEEDED', text: Buffer.alloc(33_000_000, ' ')},
  {
    name: 'that is a pipe',
    code: 'UNRECOGNISED_FORMAT',
    finish: (folder) => {
      mkdirSync(path.join(folder, 'layer'))
      spawnSync('mkfifo', [path.join(folder, 'layer', CHAIN)])
    },
  },
  {
    name: 'that is a folder',
    code: 'UNRECOGNISED_FORMAT',
    finish: (folder) => {
      mkdirSync(path.join(folder, 'layer', CHAIN), {recursive: true})
    },
  },
]

const chains: readonly HostileInput[] = CHAINS.map(({name, code, exit = 3, text, finish}) => ({
  name: `a record of parent layers ${name}`,
  format: 'runtime layer',
  use: 'chain',
  code,
  exit,
  build: (): Built => ({
    reference: (folder) => `${folder}/layer`,
    files: text === undefined ? {} : {[`layer/${CHAIN}`]: text},
    ...(finish === undefined ? {} : {finish}),
  }),
}))

const PLAN = JSON.stringify({items: [{id: 'a', source: 'docker-archive:image.tar', destination: 'inbox:y'}]})
const JOURNAL = 'plan.yaml.journal'

function line(record: object): string {
  const text = JSON.stringify(record)
  const check = createHash('sha256').update(text).digest('hex').slice(0, 16)
  return `${text.slice(0, -1)},"check":"${check}"}\n`
}

const JOURNALS: readonly {
  name: string
  code: string
  exit: number
  text?: string | Buffer
  finish?: (folder: string) => void
}[] = [
  {
    name: 'that is a link',
    code: 'UNRECOGNISED_FORMAT',
    exit: 3,
    finish: (folder) => {
      symlinkSync('/etc/passwd', path.join(folder, JOURNAL))
    },
  },
  {
    name: 'that is a pipe',
    code: 'UNRECOGNISED_FORMAT',
    exit: 3,
    finish: (folder) => void spawnSync('mkfifo', [path.join(folder, JOURNAL)]),
  },
  {
    name: 'that is a folder',
    code: 'UNRECOGNISED_FORMAT',
    exit: 3,
    finish: (folder) => {
      mkdirSync(path.join(folder, JOURNAL))
    },
  },
  {name: 'with a line of 200 MiB', code: 'accepted', exit: 0, text: Buffer.alloc(200 * 2 ** 20, 'x')},
  {name: 'of noise', code: 'accepted', exit: 0, text: Buffer.alloc(5000, 0xa5)},
  {
    name: 'that changes every object',
    code: 'accepted',
    exit: 0,
    text: '{"__proto__":{"polluted":1},"kind":"done","key":"k","id":"a"}\n',
  },
  {name: 'of records that are none', code: 'accepted', exit: 0, text: line({kind: 'done', key: 7}) + line({kind: 'x'})},
]

const journals: readonly HostileInput[] = JOURNALS.map(({name, code, exit, text, finish}) => ({
  name: `a journal ${name}`,
  format: 'plan',
  use: 'batch',
  code,
  exit,
  build: (): Built => ({
    reference: (folder) => `${folder}/plan.yaml`,
    files: {
      'plan.yaml': PLAN,
      'image.tar': readFileSync('samples/shop.tar'),
      ...(text === undefined ? {} : {[JOURNAL]: text}),
    },
    ...(finish === undefined ? {} : {finish}),
  }),
}))

export const RECORD_INPUTS: readonly HostileInput[] = [...chains, ...journals]

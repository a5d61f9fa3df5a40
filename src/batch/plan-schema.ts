import {Ajv2020, type ErrorObject, type SchemaObject, type ValidateFunction} from 'ajv/dist/2020.js'
import type {Validator} from '../codecs/json/validator.js'
import {suggestNearest} from '../model/did-you-mean.js'
import {readOwnFile} from '../model/own-files.js'
import type {PlanFault} from './plan-text.js'

/** Options of an item: the flags of `convert`, by their names there. */
export interface PlanOptions {
  readonly layers?: string
  readonly 'os-layers'?: 'auto' | number
  readonly 'with-base'?: boolean
  readonly 'without-base'?: boolean
  readonly all?: boolean
  readonly 'keep-recipe'?: boolean
  readonly pins?: 'keep' | 'reproduce' | 'none'
  readonly referrers?: 'copy' | 'none'
  readonly companions?: 'all' | 'documents' | 'none'
  readonly 'os-name'?: string
  readonly 'os-version'?: string
  readonly name?: string
  readonly publisher?: string
  readonly 'package-version'?: string
  readonly tag?: string | readonly string[]
  readonly compression?: string
  readonly 'archive-format'?: 'v1' | 'docker' | 'hybrid'
  readonly 'manifest-format'?: 'docker' | 'oci'
  readonly replace?: boolean
  readonly strict?: boolean
  readonly concurrency?: number
  readonly 'source-date-epoch'?: number
  readonly platform?: string
  readonly base?: string | readonly string[]
  readonly parent?: string | readonly string[]
  readonly 'accept-base-mismatch'?: boolean
  readonly 'max-unpacked'?: string | number
  readonly 'max-ratio'?: number
  readonly 'max-entries'?: number
  readonly 'max-name-depth'?: number
  readonly 'tls-verify'?: boolean
  readonly 'docker-config'?: string
  readonly authfile?: string
  readonly 'certs-dir'?: string
  readonly 'allow-private-hosts'?: boolean
  readonly 'least-rate'?: string | number
  readonly 'max-request-time'?: number
  readonly engine?: string
  readonly 'engine-certs'?: string
  readonly 'engine-context'?: string
}

/** An item as written. */
export interface PlanItemDocument {
  readonly id?: string
  readonly source: string
  readonly destination?: string
  readonly include?: string | readonly string[]
  readonly exclude?: string | readonly string[]
  readonly options?: PlanOptions
  readonly after?: string | readonly string[]
}

/** A plan as written. Schema: `src/schemas/batch-plan.schema.json`. */
export interface PlanDocument {
  readonly version?: 1
  readonly defaults?: Pick<PlanItemDocument, 'destination' | 'include' | 'exclude' | 'options'>
  readonly items: readonly PlanItemDocument[]
}

let compiled: ValidateFunction<PlanDocument> | undefined

/** The schema is compiled when the first plan is read. */
const validate: Validator<PlanDocument> = (json: unknown): json is PlanDocument => {
  // The values are needed for messages, the schemas for what was expected.
  compiled ??= new Ajv2020({allErrors: true, verbose: true}).compile<PlanDocument>(readSchema())
  const isValid = compiled(json)
  validate.errors = compiled.errors ?? null
  return isValid
}

function readSchema(): SchemaObject {
  return JSON.parse(readOwnFile('schemas/batch-plan.schema.json')) as SchemaObject
}

/** True when the value is a plan; else what is wrong with it is added to `faults`, in the order of the plan. */
export function isPlan(value: unknown, faults: PlanFault[]): value is PlanDocument {
  if (validate(value)) return true
  const errors = validate.errors ?? []
  const ofChoices = errors.filter(({keyword}) => keyword === 'anyOf').map(({schemaPath}) => `${schemaPath}/`)
  for (const error of errors) {
    // Why each of several choices does not fit says less than what the choices are.
    if (!ofChoices.some((path) => error.schemaPath.startsWith(path))) faults.push(faultOf(error, value))
  }
  return false
}

function faultOf(error: ErrorObject, root: unknown): PlanFault {
  const path = pathOf(error.instancePath, root)
  const {params} = error
  const parent = error.parentSchema as Readonly<Record<string, unknown>> | undefined
  if (error.keyword === 'additionalProperties') {
    const key = String(params['additionalProperty'])
    const known = Object.keys(parent?.['properties'] ?? {})
    const suggestions = [...suggestNearest(key, known), `Known keys: ${known.join(', ')}`]
    return {path: [...path, key], what: `'${key}' is not a known key here.`, suggestions}
  }
  if (error.keyword === 'required') return {path, what: `'${String(params['missingProperty'])}' is missing.`}
  const name = typeof path.at(-1) === 'string' ? `'${String(path.at(-1))}'` : 'The value'
  const found = JSON.stringify(error.data)
  const values = error.keyword === 'enum' ? (params['allowedValues'] as readonly unknown[]).map(String) : []
  const expected = values.length > 0 ? values.join(', ') : expectedOf(error, parent)
  return {
    path,
    what: `${name} is not valid.`,
    why: `Expected ${expected}, found ${found.slice(0, 200)}.`,
    suggestions: typeof error.data === 'string' ? suggestNearest(error.data, values) : [],
  }
}

function expectedOf(error: ErrorObject, parent: Readonly<Record<string, unknown>> | undefined): string {
  const description = parent?.['description']
  if ((error.keyword === 'pattern' || error.keyword === 'anyOf') && typeof description === 'string') return description
  const {type, limit} = error.params as {type?: unknown; limit?: unknown}
  if (error.keyword === 'type') return TYPE_WORDS[String(type)] ?? String(type)
  if (error.keyword === 'const') return JSON.stringify((error.params as {allowedValue?: unknown}).allowedValue)
  const words = LIMIT_WORDS[error.keyword]
  return words === undefined ? (error.message ?? error.keyword) : `${words} ${String(limit)}`
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  object: 'keys with values',
  array: 'a list',
  string: 'text',
  boolean: 'true or false',
  integer: 'a whole number',
}
const LIMIT_WORDS: Readonly<Record<string, string>> = {
  minimum: 'a number of at least',
  maximum: 'a number of at most',
  minItems: 'a list of at least this many:',
  minLength: 'text of at least this many characters:',
  maxLength: 'text of at most this many characters:',
}

/** A JSON pointer as keys and indices. */
function pathOf(pointer: string, root: unknown): (string | number)[] {
  const path: (string | number)[] = []
  let value = root
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    path.push(Array.isArray(value) ? Number(key) : key)
    value = (value as Readonly<Record<string, unknown>> | undefined)?.[key]
  }
  return path
}

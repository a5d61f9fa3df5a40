import {suggestNearest} from '../../model/did-you-mean.js'
import {readOwnFile} from '../../model/own-files.js'
import {badTemplate} from './parse-template.js'

/** Which fields a value of a `--json` document can have, whether or not this one has them; undefined: any. */
export interface Shape {
  /** By their names in lower case. */
  readonly fields?: ReadonlyMap<string, {readonly key: string; readonly shape: Shape | undefined}>
  readonly items?: Shape | undefined
}

type Schema = Readonly<Record<string, unknown>>

/** The shape of what is at `path` of a document of `src/schemas`. */
export function shapeOfDocument(name: string, path: readonly string[]): Shape | undefined {
  const root = JSON.parse(readOwnFile(`schemas/${name}.schema.json`)) as Schema
  let shape = shapeOf(root, root)
  for (const key of path) shape = key === '*' ? shape?.items : shape?.fields?.get(key.toLowerCase())?.shape
  return shape
}

function shapeOf(schema: Schema, root: Schema): Shape | undefined {
  const {$ref: reference} = schema
  if (typeof reference === 'string') {
    const target = reference.split('/').slice(1)
    return shapeOf(
      target.reduce<Schema>((at, key) => asSchema(at[key]), root),
      root,
    )
  }
  const {properties, items, type, enum: values} = schema
  if (properties !== undefined) {
    const fields = Object.entries(asSchema(properties)).map(
      ([key, value]) => [key.toLowerCase(), {key, shape: shapeOf(asSchema(value), root)}] as const,
    )
    return {fields: new Map(fields)}
  }
  if (items !== undefined) return {items: shapeOf(asSchema(items), root)}
  const isScalar = values !== undefined || ['string', 'integer', 'number', 'boolean'].includes(String(type))
  return isScalar ? {} : undefined
}

function asSchema(value: unknown): Schema {
  return typeof value === 'object' && value !== null ? (value as Schema) : {}
}

/** The shape of a field. Throws `BAD_OPTION` for one that there never is. */
export function requireField(shape: Shape | undefined, key: string, others: readonly string[]): Shape | undefined {
  if (shape === undefined) return undefined
  const found = shape.fields?.get(key.toLowerCase())
  if (found !== undefined) return found.shape
  const names = [...(shape.fields?.values() ?? [])].map((field) => titled(field.key))
  const all = [...new Set([...names, ...others])]
  if (all.length === 0) throw badTemplate(`'.${key}' is not a field: the value before it has none.`)
  throw badTemplate(`'.${key}' is not a field. The fields are ${all.map((name) => `.${name}`).join(', ')}.`, [
    ...suggestNearest(
      `.${key}`,
      all.map((name) => `.${name}`),
    ),
  ])
}

function titled(key: string): string {
  return key.slice(0, 1).toUpperCase() + key.slice(1)
}

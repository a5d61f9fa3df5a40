import assert from 'node:assert/strict'
import {readdir, readFile} from 'node:fs/promises'
import path from 'node:path'
import {Ajv2020} from 'ajv/dist/2020.js'

const FOLDER = path.resolve(import.meta.dirname, '../../src/schemas')

export interface NamedSchema {
  readonly name: string
  readonly schema: Record<string, unknown>
}

/** The schemas that are shipped, by name. */
export async function readSchemas(): Promise<NamedSchema[]> {
  const files = (await readdir(FOLDER)).sort()
  return Promise.all(
    files.map(async (file) => ({
      name: file.replace('.schema.json', ''),
      schema: JSON.parse(await readFile(path.join(FOLDER, file), 'utf8')) as Record<string, unknown>,
    })),
  )
}

/** Demands that a document is what the shipped schema of that name says. */
export async function assertSchema(name: string, document: unknown): Promise<void> {
  const found = (await readSchemas()).find((candidate) => candidate.name === name)
  assert.ok(found, `there is no schema ${name}`)
  const ajv = new Ajv2020({strict: true, allErrors: true})
  const isValid = ajv.validate(found.schema, document)
  assert.ok(isValid, `${name}: ${ajv.errorsText()}\n${JSON.stringify(document, null, 2)}`)
}

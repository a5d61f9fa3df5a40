import {Ajv, type AnySchema, type ErrorObject, type ValidateFunction} from 'ajv'

/** Tells whether a value is as a schema says; `errors` is what the last value broke. */
export interface Validator<T> {
  (json: unknown): json is T
  errors?: readonly ErrorObject[] | null
}

// That the schemas are schemas is no question of a run: the tests compile each of them in strict mode. To make the code of a
// validator shorter takes longer than the few documents of a run would gain by it.
const ajv = new Ajv({allowUnionTypes: true, validateSchema: false, code: {optimize: false}})

/**
 * A schema of JSON from outside, tolerant of unknown keys. The type is the caller's promise of what the schema holds. It
 * is compiled when it is first used: a run needs few of them, and all cost a tenth of a second.
 */
export function compileSchema<T>(schema: AnySchema): Validator<T> {
  let compiled: ValidateFunction<T> | undefined
  const validate: Validator<T> = (json: unknown): json is T => {
    compiled ??= ajv.compile<T>(schema)
    const isValid = compiled(json)
    validate.errors = compiled.errors ?? null
    return isValid
  }
  return validate
}

/** What the last value broke, as text; `name` stands for the value. */
export function errorsText<T>(validate: Validator<T>, name: string): string {
  return ajv.errorsText([...(validate.errors ?? [])], {dataVar: name})
}

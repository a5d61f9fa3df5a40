import type {ErrorObject, ValidateFunction} from 'ajv'

/** Tells whether a value is as a schema says; `errors` is what the last value broke. */
export interface Validator<T> {
  (json: unknown): json is T
  errors?: readonly ErrorObject[] | null
}

/** A schema that is compiled when it is first used: a run needs few of them, and all cost a tenth of a second. */
export function lazyValidator<T>(compile: () => ValidateFunction<T>): Validator<T> {
  let compiled: ValidateFunction<T> | undefined
  const validate: Validator<T> = (json: unknown): json is T => {
    compiled ??= compile()
    const isValid = compiled(json)
    validate.errors = compiled.errors ?? null
    return isValid
  }
  return validate
}

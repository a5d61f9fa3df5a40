import {EnvironmentError, findSystemCode} from './errors.js'

/**
 * Imports code that needs an optional package. `purpose` begins the message: "A queue of items". Throws `TOOL_MISSING`
 * when that package is not installed.
 */
export async function importOptional<Module>(purpose: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load()
  } catch (cause) {
    const name = findMissingPackage(cause)
    if (name === undefined) throw cause
    throw new EnvironmentError('TOOL_MISSING', {
      what: `${purpose} needs the optional package ${name}, which is not installed.`,
      suggestions: ['Install transship with its optional packages: npm install --include=optional transship'],
      cause,
    })
  }
}

/** The package that an import did not find; undefined for every other failure, a file of our own that is gone included. */
function findMissingPackage(error: unknown): string | undefined {
  const code = findSystemCode(error)
  if (!(error instanceof Error) || (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND')) return undefined
  return /^Cannot find (?:package|module) '((?:@[^/'\\]+\/)?[^./'\\:@][^/'\\:]*)[/']/.exec(error.message)?.[1]
}

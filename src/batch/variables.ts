import {suggestNearest} from '../model/did-you-mean.js'
import type {PlanFault, PlanPath} from './plan-text.js'

/** What variables stand for. The command passes its environment in; the library reads none. */
export type Environment = Readonly<Record<string, string | undefined>>

/** `$$`, `${NAME}`, `${NAME:-default}`, or a `${` that is neither. */
const VARIABLE = /\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{[^}]*\}?/g

/**
 * Replaces `${NAME}` and `${NAME:-default}` in all texts of a value; `$$` is a dollar sign. As in a shell, the default
 * also stands in for an empty variable. What is missing or malformed is added to `faults`.
 */
export function withVariables(value: unknown, environment: Environment, faults: PlanFault[]): unknown {
  const replace = (part: unknown, path: PlanPath): unknown => {
    if (typeof part === 'string') return replaceIn(part, {environment, path, faults})
    if (Array.isArray(part)) return part.map((each, index) => replace(each, [...path, index]))
    if (typeof part !== 'object' || part === null) return part
    return Object.fromEntries(Object.entries(part).map(([key, each]) => [key, replace(each, [...path, key])]))
  }
  return replace(value, [])
}

interface Replacing {
  readonly environment: Environment
  readonly path: PlanPath
  readonly faults: PlanFault[]
}

function replaceIn(text: string, {environment, path, faults}: Replacing): string {
  return text.replace(VARIABLE, (whole: string, name: string | undefined, otherwise: string | undefined) => {
    if (whole === '$$') return '$'
    if (name === undefined) {
      const what = `'${whole}' is not a variable.`
      faults.push({path, what, suggestions: ['Write ${NAME} or ${NAME:-default}; for a dollar sign, write $$.']})
      return whole
    }
    const given = Object.hasOwn(environment, name) ? environment[name] : undefined
    if (otherwise !== undefined) return given === undefined || given === '' ? otherwise : given
    if (given !== undefined) return given
    const suggestions = [
      ...suggestNearest(name, Object.keys(environment)),
      `Set it, or give a default: \${${name}:-default}`,
    ]
    faults.push({path, what: `The variable ${name} is not set.`, suggestions})
    return whole
  })
}

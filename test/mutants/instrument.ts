import ts from 'typescript'
import {DROPPED, parse, type Mutant} from './find-mutants.js'

/** The name under which each instrumented module asks whether a mutant is switched on. */
const SWITCH = '__isMutant'

/**
 * The JavaScript of a source with mutants built in, each behind a switch: one build serves every mutant, and what spawned
 * programs run is mutated too. `switchModule`: where the switch is imported from.
 */
export function instrument(
  file: string,
  text: string,
  mutants: ReadonlyMap<number, Mutant>,
  switchModule: string,
): string {
  const source = parse(file, text)
  const at = new Map<string, [number, Mutant][]>()
  const starts = [...mutants.values()].map(({start}) => start).sort((left, right) => left - right)
  for (const [id, mutant] of mutants) {
    const key = `${mutant.start}-${mutant.end}-${mutant.replacement === DROPPED ? 'statement' : 'expression'}`
    at.set(key, [...(at.get(key) ?? []), [id, mutant]])
  }
  return transpile(file, `import {isActive as ${SWITCH}} from '${switchModule}';${emit(source)}`)

  function emit(node: ts.Node): string {
    const [start, end] = [node === source ? 0 : node.getStart(source), node.getEnd()]
    if (!starts.some((each) => each >= start && each < end)) return text.slice(start, end)
    const children: ts.Node[] = []
    ts.forEachChild(node, (child) => {
      children.push(child)
    })
    let [code, done] = ['', start]
    for (const child of children.sort((left, right) => left.getStart(source) - right.getStart(source))) {
      const from = child.getStart(source)
      if (from < done) continue
      code += text.slice(done, from) + emit(child)
      done = child.getEnd()
    }
    code += text.slice(done, end)
    return ts.isStatement(node) ? switchedStatement(node, code) : switchedExpression(node, code)
  }

  /** In braces: a line that now begins with a bracket would belong to the one before it. */
  function switchedStatement(node: ts.Node, code: string): string {
    const own = at.get(`${node.getStart(source)}-${node.getEnd()}-statement`) ?? []
    const switched = own.reduce((inner, [id]) => `if (!${SWITCH}(${id})) {${inner}\n}`, code)
    return own.length > 0 || ts.isExpressionStatement(node) ? `{${switched}\n}` : switched
  }

  function switchedExpression(node: ts.Node, code: string): string {
    if (!ts.isExpression(node)) return code
    const own = at.get(`${node.getStart(source)}-${node.getEnd()}-expression`) ?? []
    return own.reduce((inner, [id, {replacement}]) => `(${SWITCH}(${id}) ? (${replacement}) : (${inner}))`, code)
  }
}

export function transpile(file: string, text: string): string {
  return ts.transpileModule(text, {
    fileName: file,
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
    },
  }).outputText
}

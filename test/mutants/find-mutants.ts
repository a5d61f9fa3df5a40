import ts from 'typescript'

/** One small fault that could be in a source file. */
export interface Mutant {
  /** Path in the project. */
  readonly file: string
  readonly line: number
  /** What kind of fault: see `findMutants`. */
  readonly operator: Operator
  /** The code as it is and as it would be, on one line. */
  readonly original: string
  readonly replacement: string
  /** The node, by its place in the text. */
  readonly start: number
  readonly end: number
}

export type Operator =
  'negate' | 'compare' | 'logic' | 'arithmetic' | 'assign' | 'drop' | 'boolean' | 'empty' | 'number' | 'text' | 'anchor'

type Replacement = readonly [operator: Operator, text: string]

const {SyntaxKind} = ts

const COMPARED: Readonly<Record<string, string>> = {
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '===': '!==',
  '!==': '===',
}
const JOINED: Readonly<Record<string, string>> = {'&&': '||', '||': '&&', '??': '&&'}
const RECKONED: Readonly<Record<string, string>> = {
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '%': '*',
  '&': '|',
  '|': '&',
  '^': '&',
  '<<': '>>',
  '>>': '<<',
  '>>>': '<<',
}
const ASSIGNED: Readonly<Record<string, string>> = {
  '+=': '-=',
  '-=': '+=',
  '*=': '+=',
  '|=': '&=',
  '&=': '|=',
  '??=': '=',
  '||=': '&&=',
}

/** Properties whose values are words for people: other words are no fault that a test should find. */
const WORDS = new Set(['what', 'why', 'suggestions', 'message', 'title', 'description'])

/**
 * Constants that say how much is done at once, not what: other numbers are slower or quicker, and nothing else. The same
 * holds for bounds of memory, where the next number is no other bound.
 */
const AT_ONCE = /^(?:BATCH|BUFFER|CACHE|CHUNK|COPY|GROUP|HELD|JOIN|LOOK|PIECE|READ)_|CONCURRENCY$|_AT_ONCE$/
const BOUND = /^(?:DEFAULT_)?(?:MAX|MOST)_/
const LEAST_BOUND = 2 ** 16

/** The replacement of a dropped statement. */
export const DROPPED = ''

/**
 * Every mutant of a TypeScript source: conditions negated, bounds of comparisons moved, operators and constants changed,
 * statements and throws left out, lists emptied, anchors taken from patterns. Types, imports and messages stay as they are.
 */
export function findMutants(file: string, text: string): Mutant[] {
  const source = parse(file, text)
  const mutants: Mutant[] = []
  ts.forEachChild(source, visit)
  return mutants

  function visit(node: ts.Node): void {
    if (isLeftAlone(node)) return
    for (const [operator, replacement] of replacementsOf(node, source)) {
      const [start, end] = [node.getStart(source), node.getEnd()]
      const {line} = source.getLineAndCharacterOfPosition(start)
      const original = inOneLine(text.slice(start, end))
      mutants.push({
        file,
        line: line + 1,
        operator,
        original,
        replacement,
        start,
        end,
      })
    }
    ts.forEachChild(node, visit)
  }
}

export function parse(file: string, text: string): ts.SourceFile {
  return ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, true, ts.ScriptKind.TS)
}

export function inOneLine(code: string): string {
  return code.replaceAll(/\s+/g, ' ').trim()
}

function isLeftAlone(node: ts.Node): boolean {
  if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return true
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return true
  if (ts.isCallExpression(node) && node.expression.kind === SyntaxKind.ImportKeyword) return true
  if (ts.isPropertyAssignment(node) && ts.isIdentifier(node.name) && WORDS.has(node.name.text)) return true
  if (ts.isNewExpression(node) && node.expression.getText() === 'Error') return true
  if (ts.isVariableDeclaration(node) && isAmount(node)) return true
  return ts.isBinaryExpression(node.parent) && node.parent.left === node && isAssignment(node.parent)
}

function isAmount({name, initializer}: ts.VariableDeclaration): boolean {
  if (!ts.isIdentifier(name) || initializer === undefined) return false
  if (AT_ONCE.test(name.text)) return true
  const value = BOUND.test(name.text) ? valueOf(initializer) : undefined
  return value !== undefined && value >= LEAST_BOUND
}

/** Of numbers, their products and powers; undefined for anything else. */
function valueOf(node: ts.Expression): number | undefined {
  if (ts.isNumericLiteral(node)) return Number(node.text)
  if (!ts.isBinaryExpression(node)) return undefined
  const [left, right] = [valueOf(node.left), valueOf(node.right)]
  if (left === undefined || right === undefined) return undefined
  if (node.operatorToken.kind === SyntaxKind.AsteriskToken) return left * right
  return node.operatorToken.kind === SyntaxKind.AsteriskAsteriskToken ? left ** right : undefined
}

function isAssignment(node: ts.BinaryExpression): boolean {
  const {kind} = node.operatorToken
  return kind >= SyntaxKind.FirstAssignment && kind <= SyntaxKind.LastAssignment
}

function replacementsOf(node: ts.Node, source: ts.SourceFile): readonly Replacement[] {
  if (ts.isExpression(node)) return [...negated(node), ...replacedExpression(node, source)]
  if (ts.isExpressionStatement(node))
    return ts.isStringLiteral(node.expression) || isSuperCall(node.expression) ? [] : [['drop', DROPPED]]
  if (ts.isThrowStatement(node) || ts.isContinueStatement(node)) return [['drop', DROPPED]]
  if (ts.isReturnStatement(node) && node.expression === undefined) return [['drop', DROPPED]]
  return []
}

function isSuperCall(node: ts.Expression): boolean {
  return ts.isCallExpression(node) && node.expression.kind === SyntaxKind.SuperKeyword
}

/** The condition of a branch or loop; an equation is negated as a comparison. */
function negated(node: ts.Expression): readonly Replacement[] {
  const {parent} = node
  const isCondition =
    ((ts.isIfStatement(parent) || ts.isWhileStatement(parent)) && parent.expression === node) ||
    ((ts.isConditionalExpression(parent) || ts.isForStatement(parent)) && parent.condition === node)
  if (!isCondition || (ts.isBinaryExpression(node) && COMPARED[node.operatorToken.getText()]?.startsWith('=') === true))
    return []
  if (ts.isBinaryExpression(node) && COMPARED[node.operatorToken.getText()]?.startsWith('!') === true) return []
  return [['negate', `!(${node.getText()})`]]
}

function replacedExpression(node: ts.Expression, source: ts.SourceFile): readonly Replacement[] {
  if (ts.isBinaryExpression(node)) return replacedBinary(node)
  if (node.kind === SyntaxKind.TrueKeyword) return [['boolean', 'false']]
  if (node.kind === SyntaxKind.FalseKeyword) return [['boolean', 'true']]
  if (isName(node)) return []
  if (ts.isNumericLiteral(node)) return [['number', String(Number(node.text) + 1)]]
  if (ts.isBigIntLiteral(node)) return [['number', `${String(BigInt(node.text.slice(0, -1)) + 1n)}n`]]
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return replacedText(node.text)
  if (ts.isArrayLiteralExpression(node)) return node.elements.length === 0 ? [] : [['empty', '[]']]
  if (ts.isRegularExpressionLiteral(node)) return withoutAnchor(node.getText(source))
  if (ts.isPostfixUnaryExpression(node) || (ts.isPrefixUnaryExpression(node) && isStep(node.operator))) {
    const code = node.getText(source)
    return [['assign', code.includes('++') ? code.replace('++', '--') : code.replace('--', '++')]]
  }
  return []
}

/** Words with blanks between them are for people. */
function replacedText(text: string): readonly Replacement[] {
  if (text === '') return [['text', "'mutant'"]]
  return text.trim().includes(' ') ? [] : [['text', "''"]]
}

function isStep(operator: ts.PrefixUnaryOperator): boolean {
  return operator === SyntaxKind.PlusPlusToken || operator === SyntaxKind.MinusMinusToken
}

/** A literal that names a property, not a value. */
function isName(node: ts.Node): boolean {
  const {parent} = node
  return (
    ts.isComputedPropertyName(parent) ||
    ((ts.isPropertyAssignment(parent) || ts.isMethodDeclaration(parent) || ts.isBindingElement(parent)) &&
      (parent.name === node || (ts.isBindingElement(parent) && parent.propertyName === node)))
  )
}

function replacedBinary(node: ts.BinaryExpression): readonly Replacement[] {
  const token = node.operatorToken.getText()
  const swapped = (operator: Operator, to: string | undefined): readonly Replacement[] =>
    to === undefined ? [] : [[operator, `${node.left.getText()} ${to} ${node.right.getText()}`]]
  if (token === '+' && (isText(node.left) || isText(node.right))) return []
  if (JOINED[token] !== undefined)
    return [['logic', `(${node.left.getText()}) ${JOINED[token]} (${node.right.getText()})`]]
  if (COMPARED[token] !== undefined) return swapped('compare', COMPARED[token])
  return RECKONED[token] === undefined ? swapped('assign', ASSIGNED[token]) : swapped('arithmetic', RECKONED[token])
}

function isText(node: ts.Expression): boolean {
  return ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)
}

function withoutAnchor(code: string): readonly Replacement[] {
  const end = code.lastIndexOf('/')
  const [pattern, flags] = [code.slice(1, end), code.slice(end + 1)]
  return [
    ...(pattern.startsWith('^') && pattern.length > 1 ? [['anchor', `/${pattern.slice(1)}/${flags}`] as const] : []),
    ...(/[^\\]\$$/.test(pattern) ? [['anchor', `/${pattern.slice(0, -1)}/${flags}`] as const] : []),
  ]
}

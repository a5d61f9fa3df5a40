/* What the tests of msix-packaging expect of its test files; corpora.ts says where those are. */

/** What a test of msix-packaging expects of its reader: `S_OK`, or the name of an error. */
export interface Expectation {
  readonly file: string
  readonly expected: string
  readonly checksSignature: boolean
}

const FIELDS = {
  expected: /HRESULT expected\s*=\s*(?:static_cast<HRESULT>\(MSIX::Error::(\w+)\)|(\w+));/,
  file: /std::string (?:package|bundle)\s*=\s*"([^"]+)";/,
  validation: /MSIX_VALIDATION_OPTION validation\s*=\s*MSIX_VALIDATION_OPTION_(\w+);/,
}

/** The verdicts in the text of `unpack.cpp` or `unbundle.cpp`. */
export function expectationsIn(source: string): readonly Expectation[] {
  return source.split('TEST_CASE(').flatMap((text) => {
    const [, error, success] = FIELDS.expected.exec(text) ?? []
    const [, file] = FIELDS.file.exec(text) ?? []
    if (file === undefined) return []
    const checksSignature = FIELDS.validation.exec(text)?.[1] !== 'SKIPSIGNATURE'
    return [{file, expected: error ?? success ?? '', checksSignature}]
  })
}

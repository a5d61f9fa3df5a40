/** Result of one call: the unsigned HRESULT, and the document that came with it. */
export interface ComputeAnswer {
  readonly result: number
  readonly document: string | undefined
}

/**
 * The Host Compute Service, whichever API the host has. Calls give what Windows says, failures too; `timeoutMs` bounds
 * the wait, which cannot be interrupted otherwise.
 */
export interface ComputeService {
  /** DLL it is reached through. */
  readonly library: string
  enumerate(queryJson: string, timeoutMs: number): Promise<ComputeAnswer>
  properties(id: string, queryJson: string, timeoutMs: number): Promise<ComputeAnswer>
  /** Asks the system to shut down. */
  shutDown(id: string, timeoutMs: number): Promise<ComputeAnswer>
  /** Ends the system at once. */
  terminate(id: string, timeoutMs: number): Promise<ComputeAnswer>
}

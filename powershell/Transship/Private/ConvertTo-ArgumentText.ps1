function ConvertTo-ArgumentText {
    # One command line of separate arguments, by the rules of CommandLineToArgvW, which .NET follows on other systems
    # too. Windows PowerShell has no ArgumentList, and its & operator loses quotes.
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory)]
        [AllowEmptyString()]
        [string[]] $ArgumentList
    )

    $quoted = foreach ($argument in $ArgumentList) {
        if ($argument -ne '' -and $argument -notmatch '[\s"]') {
            $argument
            continue
        }
        # Backslashes count only before a quote, ours at the end included.
        $inner = [regex]::Replace($argument, '(\\*)"', '$1$1\"')
        $inner = [regex]::Replace($inner, '(\\+)$', '$1$1')
        '"' + $inner + '"'
    }
    $quoted -join ' '
}

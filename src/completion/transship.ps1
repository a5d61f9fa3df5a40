# PowerShell completion for transship: transship completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName 'transship', 'transship.exe' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $elements = @($commandAst.CommandElements | Where-Object { $_.Extent.StartOffset -lt $cursorPosition })
    $words = @($elements | Select-Object -Skip 1 | ForEach-Object {
        if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { $_.Extent.Text }
    })
    # Behind a space, no element stands at the cursor.
    if ($elements[-1].Extent.EndOffset -lt $cursorPosition -or $words.Count -eq 0) { $words += '' }
    $shell = [string]$elements[0].Extent.Text
    # Windows PowerShell drops empty arguments.
    $sent = @($words | ForEach-Object { if ($_ -eq '' -and $PSVersionTable.PSVersion.Major -lt 7) { '""' } else { $_ } })
    & $shell completion words powershell -- @sent 2>$null | ForEach-Object {
        $text, $ends, $told = $_ -split "`t", 3
        if (-not $told) { $told = $text }
        $shown = if ($text -match '[\s''"`$(){};,|&<>@#]') { "'" + $text.Replace("'", "''") + "'" } else { $text }
        $kind = if ($text.StartsWith('-')) { 'ParameterName' } else { 'ParameterValue' }
        [System.Management.Automation.CompletionResult]::new($shown, $text, $kind, $told)
    }
}

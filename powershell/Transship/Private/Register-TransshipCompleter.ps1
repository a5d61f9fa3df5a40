# What a reference may begin with.
$script:Transports = 'appx:', 'docker-archive:', 'docker-daemon:', 'docker://', 'inbox:', 'layout:', 'oci-archive:', 'oci:', 'runtime:'

function Register-TransshipCompleter {
    # What Tab offers: references of packages, images and tags, containers, managers, and the words of a few options.
    [CmdletBinding()]
    param()

    $references = @{
        'Convert-ContainerPackage'     = 'Source', 'Destination', 'Base', 'Parent'
        'Get-ContainerPackage'         = 'Reference'
        'Test-ContainerPackage'        = 'Reference', 'Base', 'Parent'
        'Compare-ContainerPackage'     = 'Reference', 'Difference', 'Base', 'Parent'
        'Get-ContainerPackageFile'     = 'Reference', 'Base', 'Parent'
        'Get-ContainerPackageRegistry' = 'Reference', 'Base', 'Parent'
        'Invoke-ContainerMigration'    = 'Source', 'Destination'
        'Export-ContainerPackage'      = 'Reference'
        'Import-ContainerPackage'      = 'Base'
    }
    # A completer runs outside of the module: it takes the module's functions along.
    $module = $ExecutionContext.SessionState.Module
    foreach ($command in $references.Keys) {
        foreach ($parameter in $references[$command]) {
            Register-ArgumentCompleter -CommandName $command -ParameterName $parameter -ScriptBlock {
                param($commandName, $parameterName, $word)
                & $module { param($word) Complete-Reference -Word $word } $word
            }.GetNewClosure()
        }
    }
    Register-ArgumentCompleter -CommandName Convert-ContainerPackage -ParameterName Tag -ScriptBlock {
        param($commandName, $parameterName, $word, $ast, $bound)
        & $module { param($word, $bound) Complete-Tag -Word $word -Bound $bound } $word $bound
    }.GetNewClosure()
    foreach ($command in 'Get-ComputeContainer', 'Stop-ComputeContainer', 'Wait-ComputeContainer') {
        Register-ArgumentCompleter -CommandName $command -ParameterName Id -ScriptBlock {
            param($commandName, $parameterName, $word)
            & $module { param($word) Complete-Container -Word $word } $word
        }.GetNewClosure()
    }
    Register-ArgumentCompleter -CommandName Get-ComputeContainer -ParameterName Manager -ScriptBlock {
        param($commandName, $parameterName, $word)
        & $module { param($word) Complete-Manager -Word $word } $word
    }.GetNewClosure()
    $words = @{ Layers = 'chain', 'squash'; Compression = 'none', 'gzip', 'zstd'; OsLayers = 'auto', '0', '1', '2' }
    foreach ($parameter in $words.Keys) {
        $choices = $words[$parameter]
        Register-ArgumentCompleter -CommandName Convert-ContainerPackage -ParameterName $parameter -ScriptBlock {
            param($commandName, $parameterName, $word)
            $choices -like "$word*"
        }.GetNewClosure()
    }
}

function New-Completion {
    # One offer; text that PowerShell would split or read as its own is quoted.
    [CmdletBinding()]
    [OutputType([System.Management.Automation.CompletionResult])]
    param(
        [Parameter(Mandatory)]
        [string] $Text,

        [string] $Tooltip
    )

    if (-not $Tooltip) { $Tooltip = $Text }
    $inserted = $Text
    if ($Text -match '[\s''"`$;,()@{}|&<>#]') { $inserted = "'" + $Text.Replace("'", "''") + "'" }
    New-Object -TypeName System.Management.Automation.CompletionResult -ArgumentList $inserted, $Text, 'ParameterValue', $Tooltip
}

function Complete-Reference {
    # Transports and paths; behind a path and a colon, what is there.
    [CmdletBinding()]
    param([AllowEmptyString()] [string] $Word)

    $text = $Word.Trim("'", '"')
    $transport = $script:Transports | Where-Object { $text.StartsWith($_, [StringComparison]::OrdinalIgnoreCase) } | Select-Object -First 1
    if (-not $transport) {
        $script:Transports | Where-Object { $_ -like "$text*" } | ForEach-Object { New-Completion -Text $_ }
        Complete-Path -Prefix '' -Text $text
        return
    }
    $location = $text.Substring($transport.Length)
    # The first colon behind a drive letter ends the path, and a name begins.
    $match = [regex]::Match($location, '^(?<place>(?:[A-Za-z]:(?=[\\/]))?[^:]+):')
    if ($transport -eq 'docker-daemon:') { $match = [regex]::Match('', '') }
    $place = "$transport$($match.Groups['place'].Value)"
    if ($match.Success -or $transport -eq 'docker-daemon:') {
        foreach ($package in @(Get-ContainerPackage -Reference $place -ErrorAction Ignore -WarningAction Ignore)) {
            if ($package.Reference -like "$([WildcardPattern]::Escape($text))*") { New-Completion -Text $package.Reference -Tooltip (@($package.Names) -join ', ') }
        }
        return
    }
    if ($transport -ne 'docker://') { Complete-Path -Prefix $transport -Text $location }
}

function Complete-Path {
    # Files and folders, behind what comes before them.
    [CmdletBinding()]
    param(
        [AllowEmptyString()]
        [string] $Prefix,

        [AllowEmptyString()]
        [string] $Text
    )

    foreach ($result in [System.Management.Automation.CompletionCompleters]::CompleteFilename($Text)) {
        $path = $result.CompletionText.Trim("'", '"', '&', ' ')
        New-Completion -Text "$Prefix$path" -Tooltip $result.ToolTip
    }
}

function Complete-Tag {
    # The names that the source has.
    [CmdletBinding()]
    param(
        [AllowEmptyString()]
        [string] $Word,

        [System.Collections.IDictionary] $Bound
    )

    if (-not $Bound.Contains('Source')) { return }
    $packages = @(Get-ContainerPackage -Reference ([string] $Bound['Source']) -ErrorAction Ignore -WarningAction Ignore)
    $packages | ForEach-Object { $_.Names } | Where-Object { $_ -like "$Word*" } | Sort-Object -Unique |
        ForEach-Object { New-Completion -Text $_ }
}

function Complete-Container {
    # Names of containers, and ids for those who began to type one.
    [CmdletBinding()]
    param([AllowEmptyString()] [string] $Word)

    foreach ($container in @((Get-HostContainer -All -WarningAction Ignore).Containers)) {
        $tip = "$($container.Id) $($container.Manager) $($container.State) $($container.Image)"
        if ($container.Name -like "$Word*") { New-Completion -Text $container.Name -Tooltip $tip }
        elseif ($Word -and $container.Id -like "$Word*") { New-Completion -Text $container.Id -Tooltip $tip }
    }
}

function Complete-Manager {
    # The managers that have containers here.
    [CmdletBinding()]
    param([AllowEmptyString()] [string] $Word)

    @((Get-HostContainer -All -WarningAction Ignore).Containers) | ForEach-Object { $_.Manager } |
        Where-Object { $_ -like "$Word*" } | Sort-Object -Unique | ForEach-Object { New-Completion -Text $_ }
}

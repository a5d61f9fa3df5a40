function Invoke-ContainerMigration {
    <#
    .SYNOPSIS
    Converts many images or packages by a plan, and goes on where an earlier run stopped.

    .DESCRIPTION
    Gives one object for each item of the plan. A failure does not stop the rest: it is an error, and the State of its
    item is failed. A journal beside the plan makes the same command go on after an interrupt; anything that is done and
    still there has the State already-done.

    The plan is a YAML or JSON file. With -Source and -Destination the cmdlet writes it: one item for each archive,
    image or package that the source holds. A file of the folder that is no archive is a warning.

    With -WhatIf the cmdlet returns what it would do, and writes nothing.

    .PARAMETER Plan
    The file of the plan, YAML or JSON. With -Source, the file that the plan is written to; a plan that is there is
    replaced.

    .PARAMETER Source
    What to convert: TRANSPORT:LOCATION, or a folder of archives and repositories.

    .PARAMETER Destination
    Where to: TRANSPORT:LOCATION, which may hold {publisher}, {name}, {version}, {fullName}, {repository}, {tag},
    {imageId} and {file}.

    .PARAMETER ThrottleLimit
    How many items are converted at once. By default as many as there are cores and as fit into free memory.

    .PARAMETER FailFast
    Starts nothing more once an item has failed.

    .PARAMETER Journal
    Where the state of each item is kept; by default beside the plan.

    .PARAMETER Verify
    Reads every byte of what an earlier run did, and does it again where it is damaged.

    .PARAMETER Report
    Also writes a page for a browser to this file.

    .EXAMPLE
    Invoke-ContainerMigration -Source D:\Images -Destination inbox:D:\Repository | Format-Table

    Converts every archive of a folder into one repository. Run it again after an interrupt.

    .EXAMPLE
    Invoke-ContainerMigration plan.yaml -ErrorVariable failures | Export-Csv result.csv

    Runs a plan, and keeps the failures for later.

    .EXAMPLE
    (Invoke-ContainerMigration plan.yaml -WhatIf).Space

    How much room the disks need.

    .INPUTS
    Files of plans.

    .OUTPUTS
    Transship.MigrationItem: Id, Source, Destination, State, Seconds, Attempts, After, Before, Result, Failure. With
    -WhatIf Transship.MigrationPlan: Title, Items, Bytes, Space.

    .LINK
    about_Transship
    #>
    [CmdletBinding(SupportsShouldProcess, DefaultParameterSetName = 'Plan')]
    [OutputType('Transship.MigrationItem', 'Transship.MigrationPlan')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName, ParameterSetName = 'Plan')]
        [Parameter(ParameterSetName = 'Source')]
        [Alias('FullName')]
        [string] $Plan = 'transship-migration.json',

        [Parameter(Mandatory, ParameterSetName = 'Source')]
        [string] $Source,

        [Parameter(Mandatory, ParameterSetName = 'Source')]
        [string] $Destination,

        [ValidateRange(1, 256)]
        [int] $ThrottleLimit,

        [switch] $FailFast,

        [string] $Journal,

        [switch] $Verify,

        [string] $Report
    )

    process {
        $file = $null
        $file = $PSCmdlet.GetUnresolvedProviderPathFromPSPath($Plan)
        # Where PowerShell may not ask, ShouldProcess fails and the next statement runs: that must not be the work.
        $isAllowed = $false
        $isAllowed = $PSCmdlet.ShouldProcess($file, 'Convert everything that the plan names')
        if (-not $isAllowed -and -not $WhatIfPreference) { return }
        if ($PSCmdlet.ParameterSetName -eq 'Source') {
            $answer = Invoke-Transship -ArgumentList @('batch', 'plan', $Source, $Destination) -Target $Source -Activity "Listing $Source"
            if ($answer.Failure) {
                $PSCmdlet.WriteError($answer.Failure)
                return
            }
            foreach ($name in Get-PassedOver -Source $Source -Item $answer.Document.items) {
                Write-Warning -Message "Not in the plan, since it is no archive that can be read: $name"
            }
            if (-not $isAllowed) {
                New-TransshipObject -TypeName Transship.MigrationPlan -Document $answer.Document -Property @{ Title = $file }
                return
            }
            # Without a byte order mark in both editions. Paths in the plan are relative to the current folder, so that
            # is where the plan has to be.
            $here = (Get-Location -PSProvider FileSystem).ProviderPath
            if ((Split-Path -Path $file -Parent) -ne $here) {
                $advice = 'Change to the folder of the plan first, or give -Plan a plain file name.'
                $PSCmdlet.WriteError((New-TransshipError -Code BAD_OPTION -ExitCode 2 -Message "A plan that is written must be in the current folder, $here." -Suggestion $advice -Target $Plan))
                return
            }
            [System.IO.File]::WriteAllText($file, (ConvertTo-Json -InputObject $answer.Document -Depth 32))
        }
        $arguments = @('batch', $file)
        $options = [ordered]@{ ThrottleLimit = '--concurrency'; FailFast = '--fail-fast'; Journal = '--journal'; Verify = '--verify' }
        $arguments += @(Get-OptionArgument -Bound $PSBoundParameters -Option $options)
        if (-not $isAllowed) {
            $answer = Invoke-Transship -ArgumentList ($arguments + '--dry-run') -Target $Plan
            if ($answer.Failure) { $PSCmdlet.WriteError($answer.Failure) }
            else { New-TransshipObject -TypeName Transship.MigrationPlan -Document $answer.Document }
            return
        }
        if ($Report) { $arguments += '--report', $Report }
        $journalFile = "$file.journal"
        if ($Journal) { $journalFile = $PSCmdlet.GetUnresolvedProviderPathFromPSPath($Journal) }
        $total = 0
        if ($PSCmdlet.ParameterSetName -eq 'Source') { $total = @($answer.Document.items).Count }
        # 1: some items failed, which the items tell.
        $answer = Invoke-Transship -ArgumentList $arguments -Expected 0, 1 -Target $Plan -Activity "Converting by $Plan" -Journal $journalFile -Total $total
        if ($answer.Failure) {
            $PSCmdlet.WriteError($answer.Failure)
            return
        }
        foreach ($row in $answer.Document.items) {
            $item = New-TransshipObject -TypeName Transship.MigrationItem -Document $row
            $failure = $item.Failure
            if ($failure) {
                $message = "$($row.source): $($failure.what) $(Get-DocumentValue $failure why)".Trim()
                $PSCmdlet.WriteError((New-TransshipError -Code $failure.code -ExitCode $failure.exitCode -Message $message -Suggestion $failure.suggestions -Target $item))
            }
            $item
        }
    }
}

function Get-PassedOver {
    # The files of a folder that no item of a plan names. A damaged archive must not be left out unseen.
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory)]
        [string] $Source,

        [AllowNull()]
        [object[]] $Item
    )

    if (-not (Test-Path -LiteralPath $Source -PathType Container)) { return }
    # A folder that is a repository or an OCI layout itself is named as a whole.
    $folder = (Resolve-Path -LiteralPath $Source).ProviderPath
    $sources = @($Item | Where-Object { $_ } | ForEach-Object { [string] $_.source })
    $leaf = Split-Path -Path $folder -Leaf
    if ($sources | Where-Object { $_ -match "[:\\/]$([regex]::Escape($leaf))(:|$)" -or $_ -match ':\.?$' }) { return }
    foreach ($file in Get-ChildItem -LiteralPath $folder -File | Sort-Object -Property Name) {
        $pattern = "[:\\/]$([regex]::Escape($file.Name))(:|$)"
        if (-not ($sources | Where-Object { $_ -match $pattern })) { $file.Name }
    }
}

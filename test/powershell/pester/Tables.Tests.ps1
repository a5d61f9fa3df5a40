# How every kind of object looks in a window of 80 columns, stored beside this file. UPDATE_SNAPSHOTS=1 stores it anew.
BeforeAll {
    . (Join-Path $PSScriptRoot 'Setup.ps1')
    Push-Location -LiteralPath (Get-Item TestDrive:/).FullName
    Copy-Item -LiteralPath $Shop -Destination shop.tar
    Copy-Item -LiteralPath $Repository -Destination repository -Recurse
    $null = New-Item -ItemType Directory -Path images
    Copy-Item -LiteralPath $Shop -Destination images/one.tar
    Copy-Item -LiteralPath $Shop -Destination images/two.tar

    function Assert-Table([string] $Name, [object[]] $Object) {
        $Object.Count | Should -BeGreaterThan 0
        $text = ($Object | Out-String -Width 80) -replace "`r`n", "`n"
        $text = (($text.Trim("`n") -split "`n") | ForEach-Object { $_.TrimEnd() }) -join "`n"
        foreach ($line in $text -split "`n") { $line.Length | Should -BeLessOrEqual 80 }
        $file = Join-Path $PSScriptRoot "tables/$Name.txt"
        if ($env:UPDATE_SNAPSHOTS -eq '1') {
            $null = New-Item -ItemType Directory -Path (Split-Path $file) -Force
            [System.IO.File]::WriteAllText($file, "$text`n")
        }
        $text | Should -BeExactly ([System.IO.File]::ReadAllText($file).TrimEnd("`n")) -Because "$file is stored; if the change is meant, run with UPDATE_SNAPSHOTS=1"
    }
    function New-Shown([string] $Type, [hashtable] $Property) {
        InModuleScope Transship -Parameters @{ Type = $Type; Property = $Property } { param($Type, $Property) New-TransshipObject -TypeName $Type -Property $Property }
    }
}

AfterAll { Pop-Location }

Describe 'The table of' {
    It 'packages' { Assert-Table Package (Get-ContainerPackage inbox:repository) }
    It 'images' { Assert-Table Image (Get-ContainerPackage shop.tar) }
    It 'checks' { Assert-Table Verification (Get-ContainerPackage inbox:repository | Test-ContainerPackage | ForEach-Object { $_.Bytes = 50586; $_ }) }
    It 'conversions and artifacts' {
        $conversion = Convert-ContainerPackage shop.tar inbox:made -Layers chain
        # How much is written is no matter of the table.
        $conversion.BytesRead = 162918
        $conversion.BytesWritten = 1234567
        Assert-Table Conversion $conversion
        Assert-Table Artifact $conversion.Artifacts
    }
    It 'plans' { Assert-Table ConversionPlan (Convert-ContainerPackage shop.tar inbox:planned -WhatIf) }
    It 'differences' { Assert-Table Difference (Compare-ContainerPackage inbox:repository:CN=Contoso_WebServer_1.0.0.0 inbox:repository:Shop -WarningAction SilentlyContinue | Select-Object -First 12) }
    It 'files' { Assert-Table File (Get-ContainerPackageFile shop.tar -Layer 2) }
    It 'keys' { Assert-Table RegistryKey (Get-ContainerPackageRegistry shop.tar -Layer 2) }
    It 'values' { Assert-Table RegistryValue (Get-ContainerPackageRegistry shop.tar -ExpandValue) }
    It 'what a migration would do' { Assert-Table MigrationPlan (Invoke-ContainerMigration -Source images -Destination inbox:estate -WhatIf -WarningAction SilentlyContinue | ForEach-Object { $_.Title = 'plan.json'; $_ }) }

    # What differs from run to run is made up.
    It 'items of a migration' {
        Assert-Table MigrationItem @(
            New-Shown Transship.MigrationItem @{ State = 'converted'; Seconds = 12.34; Id = 'shop'; Destination = 'inbox:repository' }
            New-Shown Transship.MigrationItem @{ State = 'already-done'; Seconds = 0; Id = 'a rather long name of an item'; Destination = 'inbox:repository' }
            New-Shown Transship.MigrationItem @{ State = 'failed'; Seconds = 1; Id = 'cut'; Destination = 'inbox:repository'; Failure = [pscustomobject] @{ code = 'ARCHIVE_TRUNCATED' } }
        )
    }
    It 'containers' {
        Assert-Table Container @(
            New-Shown Transship.Container @{ Id = 'a' * 64; Name = 'web'; Manager = 'docker'; State = 'running'; MemoryBytes = 123456789; Image = 'contoso/shop:1.2.0' }
            New-Shown Transship.Container @{ Id = 'pause'; Name = 'pause'; Manager = 'kubernetes'; Namespace = 'k8s.io'; State = 'stopped'; Image = 'registry.example/a/rather/long/name:1' }
            New-Shown Transship.Container @{ Id = 'b' * 64; Name = 'a-name-that-is-too-long'; Manager = 'containerd-shim-runhcs-v1.exe'; State = 'unknown' }
        )
    }
    It 'what became of containers' {
        Assert-Table ContainerOutcome @(
            New-Shown Transship.ContainerOutcome @{ Outcome = 'stopped'; Name = 'web'; Manager = 'docker'; Via = 'docker' }
            New-Shown Transship.ContainerOutcome @{ Outcome = 'failed'; Asked = 'nothing' }
        )
    }
    It 'layers that moved' { Assert-Table LayerMove @(New-Shown Transship.LayerMove @{ Library = 'computestorage.dll'; Runtime = 'C:\layers\shop'; TransportLayout = 'D:\layouts\shop' }) }
}

Describe 'A list' {
    It 'shows every property of a package' {
        $text = Get-ContainerPackage shop.tar | Format-List | Out-String -Width 80
        foreach ($name in InModuleScope Transship { $script:ObjectProperties['Transship.Package'] }) { $text | Should -Match "(?m)^$name +:" }
    }
}

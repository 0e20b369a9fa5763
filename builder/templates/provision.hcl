  provisioner "file" {
    source      = "files"
    destination = "{{ home }}"
  }

  provisioner "file" {
    source      = var.agent_package
    destination = "{{ home }}/{{ package }}"
  }

  # Scripts lie where they can be executed whatever is done to /tmp.
  provisioner "shell" {
    script          = "scripts/provision.sh"
    remote_folder   = "{{ home }}"
    execute_command = "{% raw %}sudo -n {{ .Vars }} /bin/bash '{{ .Path }}'{% endraw %}"
  }

  # What is on the image, for the host.
  provisioner "file" {
    direction   = "download"
    source      = "{{ home }}/packages.tsv"
    destination = "packages.tsv"
  }

  # Sealing takes the build user away and switches the machine off: it is what Packer runs to shut it down.
  provisioner "file" {
    source      = "scripts/seal.sh"
    destination = "{{ home }}/seal.sh"
  }

  provisioner "shell" {
    inline          = ["install -m 0700 -o root -g root {{ home }}/seal.sh {{ seal_script }}"]
    remote_folder   = "{{ home }}"
    execute_command = "{% raw %}sudo -n {{ .Vars }} /bin/bash '{{ .Path }}'{% endraw %}"
  }

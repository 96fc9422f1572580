# The image of the job in gitlab-ci.yml: Python, the docker CLI with Compose and Buildx (static programs), arcctl.
FROM python:3.13
COPY --from=docker:29-cli /usr/local/bin/docker /usr/local/bin/
COPY --from=docker:29-cli /usr/local/libexec/docker/cli-plugins /usr/local/libexec/docker/cli-plugins
RUN pip install --no-cache-dir arcctl
